/** What a tab keeps of somebody who was signed in goes when they have signed out. */
const OWNER = "owner";

const { user = "" } = document.body.dataset;
if ((sessionStorage.getItem(OWNER) || user) !== user) sessionStorage.clear();
sessionStorage.setItem(OWNER, user);
