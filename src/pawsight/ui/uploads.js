// A browser fails some requests where very many wait (net::ERR_INSUFFICIENT_RESOURCES in Chromium):
// files are sent a few at a time.
if (!window.pawsightUploads) {
  window.pawsightUploads = true;
  const AT_ONCE = 32;
  const waiting = new Map();
  let sending = 0;
  const { open, send, abort } = XMLHttpRequest.prototype;
  const next = () => {
    for (const [request, body] of waiting) {
      if (sending >= AT_ONCE) return;
      waiting.delete(request);
      sending += 1;
      request.addEventListener("loadend", () => { sending -= 1; next(); }, { once: true });
      send.call(request, body);
    }
  };
  Object.assign(XMLHttpRequest.prototype, {
    open(method, url, ...more) {
      this.pawsightSendsFile = method === "PUT" && String(url).includes("/_stcore/upload_file/");
      return open.call(this, method, url, ...more);
    },
    send(body) {
      if (!this.pawsightSendsFile) return send.call(this, body);
      waiting.set(this, body);
      next();
    },
    abort() {
      waiting.delete(this);
      return abort.call(this);
    },
  });
}
