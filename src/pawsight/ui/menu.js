// The menu of a narrow window lies over the page: once a page was chosen in it, it is closed.
// Streamlit does so on phones alone.
if (!window.pawsightMenu) {
  window.pawsightMenu = true;
  document.addEventListener("click", (event) => {
    if (!event.target.closest('[data-testid="stSidebarNavLink"]')) return;
    setTimeout(() => {
      const open = '[data-testid="stSidebar"][data-collapsed="false"]';
      document.querySelector(`${open} [data-testid="stSidebarCollapseButton"] button`)?.click();
    }, 100);
  });
}
