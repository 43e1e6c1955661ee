// The token of an invite stands in the fragment, which is never sent: take it into the form and out of the address.
const field = document.getElementById("token");
const bare = (text) => (text.includes("#") ? text.slice(text.indexOf("#") + 1) : text).trim();
if (location.hash.length > 1) {
  field.value = bare(location.hash);
  history.replaceState(null, "", location.pathname);
}
document.getElementById("invite").addEventListener("submit", () => {
  field.value = bare(field.value);
});
