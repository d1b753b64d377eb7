// The address as the browser knows it: a proxy in front may have another name, and TLS.
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  location.protocol.replace("http", "ws") + "//" + location.host + "/ws";
document.getElementById("again").addEventListener("click", () => location.reload());
// Keys go to the console at once, without a click on it.
new MutationObserver(() => {
  if (document.body.classList.contains("-first-byte")) {
    document.querySelector(".xterm-helper-textarea")?.focus();
  }
}).observe(document.body, { attributeFilter: ["class"] });
