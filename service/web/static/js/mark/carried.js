/* What the page carries with it, so that it needs no network and tells nobody what was looked for: the words that
   receipts are made of, and the names of streets and landmarks. */

import { toBytes } from "./seal.js";

const MOST = 6;

async function load(url) {
  try {
    const response = await fetch(url);
    return response.ok ? await response.json() : null;
  } catch (error) {
    return null;
  }
}

/* Return what says a receipt as words: 16 for 128 bits, as service/places/receipt_words.py; null without the list. */
export function receiptWords(app) {
  const list = load(app + "/words.json");
  return async (secret) => {
    const words = await list;
    return words && Array.from(toBytes(secret), (byte) => words[byte]);
  };
}

/* What the search compares, as service/names/reading.py folds it. */
export function fold(text, short) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss").replace(/['’`.]/g, "");
  const words = plain.split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  return words.map((word) => short[word] || word).join(" ");
}

/* Return a search over the carried names: those that begin with the words, then those with a word that does. */
export function carriedNames(app) {
  let carried = null;
  return async (typed) => {
    carried = carried || (await load(app + "/names.json"));
    if (!carried) throw new Error("the names could not be loaded");
    const words = fold(typed, carried.short);
    if (words.length < 2) return [];
    const rank = (folded) => (folded === words ? 0 : folded.startsWith(words) ? 1 : folded.includes(" " + words) ? 2 : 3);
    const found = carried.names.map((row) => [rank(row[1]), row]).filter(([at]) => at < 3);
    found.sort(([a, one], [b, two]) => a - b || one[1].length - two[1].length || (one[1] < two[1] ? -1 : 1));
    return found.slice(0, MOST).map(([, row]) => ({ name: row[0], kind: row[2], longitude: row[3], latitude: row[4] }));
  };
}
