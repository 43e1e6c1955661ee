/* Seals a mark to the public key of its workshop: only the server can open it, this device cannot. The same layout as
   service/workshops/sealing.py: version (1) | workshop (16) | ephemeral point (65) | nonce (12) | ciphertext and tag. */

const VERSION = 1;
const LABEL = new TextEncoder().encode("safer-places sealed mark 1");
const PAD_BYTES = 512; // the length of an envelope tells no more than how many of these it needed
const CURVE = { name: "ECDH", namedCurve: "P-256" };

/* Sealing needs HTTPS (or localhost): without it a page has no WebCrypto, and marks are sent at once or not at all. */
export const canSeal = Boolean(window.isSecureContext && window.crypto && crypto.subtle && window.indexedDB);

export function toText(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function toBytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

function idBytes(uuid) {
  return Uint8Array.from(uuid.replace(/-/g, "").match(/../g), (pair) => parseInt(pair, 16));
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function padded(text) {
  const content = new TextEncoder().encode(text);
  const whole = new Uint8Array(Math.ceil(content.length / PAD_BYTES) * PAD_BYTES).fill(0x20);
  whole.set(content);
  return whole;
}

/* Return the envelope of a text as base64url, bound to the workshop and to the id of the mark. */
export async function seal(publicKey, workshop, id, text) {
  const recipient = toBytes(publicKey);
  const theirs = await crypto.subtle.importKey("raw", recipient, CURVE, false, []);
  const ours = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", ours.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256);
  const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: join(point, recipient), info: LABEL };
  const key = await crypto.subtle.deriveKey(how, material, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const bound = join(Uint8Array.of(VERSION), idBytes(workshop));
  const cipher = { name: "AES-GCM", iv: nonce, additionalData: join(bound, idBytes(id)) };
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(cipher, key, padded(text)));
  return toText(join(bound, point, nonce, ciphertext));
}
