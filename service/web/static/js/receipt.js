/* A receipt from a QR code comes in the fragment, which browsers never send; it goes on in the body of a form. */

const code = decodeURIComponent(window.location.hash.slice(1));
if (code) {
  window.history.replaceState(null, "", window.location.pathname);
  const form = document.getElementById("receipt-form");
  form.elements.receipt.value = code;
  form.requestSubmit();
}
