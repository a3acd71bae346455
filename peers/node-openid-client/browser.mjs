// A browser as far as a sign-in needs one: it keeps cookies, fills in forms, and follows redirections until one leads
// beyond the provider.

const STEPS = 12; // more pages than a sign-in ever has

const entities = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };
const plain = (text) => text.replaceAll(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => entities[entity]);

function attributes(tag) {
  return Object.fromEntries([...tag.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name, plain(value)]));
}

export class Browser {
  #cookies = new Map();
  #provider;
  #page = "";
  #address;
  /** Where it was sent beyond the provider, if it was. */
  landed;

  /** @param {string} provider the address that everything of the provider's starts with */
  constructor(provider) {
    this.#provider = provider;
  }

  /** Go somewhere, and on as far as the provider sends it. */
  open(address) {
    return this.#go(new URL(address), {});
  }

  /** Fill in the form that has this button, and press it. */
  press(id, fields = {}) {
    for (const [, opening, inside] of this.#page.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
      const inputs = [...inside.matchAll(/<(?:input|button)([^>]*)>/g)].map(([, tag]) => attributes(tag));
      const button = inputs.find((one) => one.id === id);
      if (!button) continue;
      const form = new URLSearchParams();
      for (const one of inputs) if (one.type === "hidden") form.set(one.name, one.value);
      for (const [name, value] of Object.entries({ ...fields, [button.name]: button.value })) form.set(name, value);
      return this.#go(new URL(attributes(opening).action, this.#address), { method: "POST", body: form });
    }
    throw new Error(`there is no button ${id} at ${this.#address.pathname}`);
  }

  shows(id) {
    return this.#page.includes(`id="${id}"`);
  }

  async #go(address, request) {
    this.landed = undefined;
    for (let step = 0; step < STEPS; step += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await fetch(address, { ...request, redirect: "manual", headers: cookie ? { cookie } : {} });
      for (const one of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(one);
        if (/; *Max-Age=0(?:;|$)/i.test(one)) this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
      this.#page = await answer.text();
      this.#address = address;
      const next = answer.headers.get("location");
      if (next === null) return;
      address = new URL(next, address);
      request = {};
      if (!address.href.startsWith(this.#provider)) {
        this.landed = address;
        return;
      }
    }
    throw new Error("the provider sends the browser in circles");
  }
}
