/* A code from a QR comes in the fragment, which browsers never send; it leaves the address bar and goes on in a form. */

function take() {
  const code = decodeURIComponent(window.location.hash.slice(1));
  if (!code) return;
  window.history.replaceState(null, "", window.location.pathname);
  const form = document.getElementById("join");
  form.elements.code.value = code;
  form.requestSubmit();
}

window.addEventListener("hashchange", take);
take();
