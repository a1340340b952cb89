// Elements of the page, made without markup: whatever a prompt holds stays text.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const SVG = 'http://www.w3.org/2000/svg';

  /** An element: `on` is its listeners, `data` its data attributes, all else attributes unless `false`. */
  V.el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === 'on') for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
      else if (name === 'data') Object.assign(node.dataset, value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children.flat().filter((child) => child != null && child !== false && child !== ''));
    return node;
  };

  /** One of the pictures that the page's sprite holds. */
  V.icon = (name) => {
    const svg = document.createElementNS(SVG, 'svg');
    const use = document.createElementNS(SVG, 'use');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', `#icon-${name}`);
    svg.append(use);
    return svg;
  };

  /** A button with a picture, called *name*; *text* is what of that is seen. */
  V.button = (icon, name, call, { text = '', ...attributes } = {}) =>
    V.el(
      'button',
      { type: 'button', 'aria-label': name, title: name, on: { click: call }, ...attributes },
      icon && V.icon(icon),
      text && V.el('span', {}, text),
    );

  V.by = (id) => document.getElementById(id);

  /** *text* with what was searched for marked. */
  V.marked = (text, words) => {
    const wanted = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    if (!wanted.length) return [text];
    const pieces = text.split(new RegExp(`(${wanted.join('|')})`, 'giu'));
    return pieces.map((piece, n) => (n % 2 ? V.el('mark', {}, piece) : piece));
  };
})();
