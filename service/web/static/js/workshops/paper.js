/* Says back what typed numbers mean, while they are typed. */

const known = new Map(Array.from(document.querySelectorAll("#numbers li"), (item) => [item.dataset.number, item]));
const field = document.getElementById("boxes");
const said = document.getElementById("boxes-said");

function words(number) {
  const item = known.get(number);
  return item ? item.textContent.replace(/^\s*\d+\s*/, "").trim() : "no box " + number;
}

function say() {
  const numbers = field.value.match(/\d+/g) || [];
  said.textContent = numbers.map(words).join(" · ");
  said.classList.toggle("wrong", numbers.some((number) => !known.has(number)));
}

field.addEventListener("input", say);
field.focus();
say();
