/* "Exit this page": leave at once for an everyday page, without a step back to this one. Nothing is stored to wipe. */

const NEUTRAL_PAGE = "https://www.bbc.co.uk/weather";

document.querySelectorAll("[data-exit]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.body.replaceChildren();
    document.title = "";
    window.dispatchEvent(new Event("leaving"));
    window.location.replace(NEUTRAL_PAGE);
  });
});
