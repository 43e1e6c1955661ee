// Asks the server of the queue; a refusal becomes an error with its words and fields.

const root = document.getElementById("queue");
const url = `${root.dataset.base}/api/v1/moderation`;
export const desk = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.status = problem.status;
    this.fields = problem.errors ?? [];
  }
}

export async function ask(path, body) {
  const options = { headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(url + path, options);
  } catch {
    throw new Refused({ status: 0, detail: "The service cannot be reached. Nothing was changed. Try again in a moment." });
  }
  if (answer.status === 204) return null;
  const content = await answer.json().catch(() => ({ status: answer.status, detail: "Something went wrong. Load the page again." }));
  if (!answer.ok) throw new Refused(content);
  return content;
}

export function giveBack() {
  const body = new Blob([JSON.stringify({ desk })], { type: "application/json" });
  navigator.sendBeacon(`${url}/give-back`, body);
}
