// What is pasted goes the way of what is dropped: into the page's file uploader.
if (!window.pawsightPastes) {
  window.pawsightPastes = true;
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    const input = document.querySelector('[class*="st-key-drop-"] input[type="file"]');
    if (!files.length || !input) return;
    event.preventDefault();
    const there = new DataTransfer();
    files.forEach((file) => there.items.add(file));
    input.files = there.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
