/** Elements with text. Text is never markup: it only ever becomes a text node. */

type Child = Node | string;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A stranger's text, kept from turning the direction of what stands around it. */
export function stranger(text: string): HTMLElement {
  return element('bdi', {}, text);
}

export function button(text: Child, onClick: () => void, attributes: Readonly<Record<string, string>> = {}) {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', onClick);
  return made;
}

/** Where a balance lies: ours from the left. */
export function balanceBar(oursSat: number, totalSat: number): HTMLElement {
  const ours = element('span', { class: 'ours' });
  ours.style.width = `${totalSat === 0 ? 0 : (100 * oursSat) / totalSat}%`;
  return element('span', { class: 'bar', 'aria-hidden': 'true' }, ours);
}
