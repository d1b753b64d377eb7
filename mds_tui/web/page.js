// The address as the browser knows it: a proxy in front may have another name, and TLS.
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  location.protocol.replace("http", "ws") + "//" + location.host + "/ws";
document.getElementById("again").addEventListener("click", () => location.reload());
