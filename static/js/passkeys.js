// Passkeys: a button asks the browser for one and sends what it says in a hidden field of the button's form.
//
// <button type="button" hidden data-passkey="get|create" data-options="ID"> in a form with a field named "credential":
// ID is that of a JSON script, or data-from="URL" tells where to ask for the options. Without a script, or in a browser
// without passkeys, the buttons stay hidden and [data-without-passkey] says what to do instead.

const able = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;

async function options(button) {
  if (button.dataset.options) return JSON.parse(document.getElementById(button.dataset.options).textContent);
  const answer = await fetch(button.dataset.from, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no options");
  return answer.json();
}

async function ask(button) {
  const given = await options(button);
  if (button.dataset.passkey === "get") {
    const { publicKey } = given.request_options;
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  }
  const { publicKey } = given.creation_options;
  const alone = button.form.elements.passwordless?.checked;
  publicKey.authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: Boolean(alone),
    ...(alone && { userVerification: "required" }),
  };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
}

function start(button) {
  button.hidden = false;
  const said = document.createElement("p");
  said.className = "govuk-error-message";
  said.setAttribute("role", "alert");
  button.before(said);
  button.addEventListener("click", async () => {
    said.textContent = "";
    try {
      button.form.elements.credential.value = JSON.stringify((await ask(button)).toJSON());
      button.form.submit();
    } catch {
      said.textContent = "No passkey was used. Try again, or choose another way.";
    }
  });
}

if (able) {
  document.querySelectorAll("button[data-passkey]").forEach(start);
  document.querySelectorAll("[data-without-passkey]").forEach((each) => each.remove());
}
