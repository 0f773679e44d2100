/* What the site has beside Doxygen's pages: a search over words of the guides and names of the API (search_index.js, made by
 * index.awk), and a button on code that copies it. Works from disk, without a network. */
'use strict';

/* Entries of the index: [title of the page, section, address, text in lower case]. A word counts where it begins one. */
function ffebmSearch(query) {
  const words = query.toLowerCase().split(/[^a-z0-9_.]+/).filter(word => word.length > 1);
  const found = [];

  if (words.length === 0)
    return found;
  for (const [title, section, address, text] of ffebmIndex) {
    const head = (title + ' ' + section).toLowerCase();
    let score = 0;

    for (const word of words) {
      const named = section.toLowerCase() === word ? 40 : begins(head, word) ? 12 : 0;
      const said = count(text, word);

      if (named + said === 0) {
        score = 0;
        break;
      }
      score += named + Math.min(said, 5);
    }
    if (score > 0)
      found.push({ score, title, section, address, text, word: words[0] });
  }
  return found.sort((a, b) => b.score - a.score).slice(0, 12);
}

function begins(text, word) {
  const at = text.indexOf(word);

  return at === 0 || (at > 0 && /[^a-z0-9]/.test(text[at - 1]));
}

function count(text, word) {
  let times = 0;

  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    times += at === 0 || /[^a-z0-9]/.test(text[at - 1]);
  return times;
}

/* A few words around the first hit. */
function excerpt(result) {
  const at = Math.max(result.text.indexOf(result.word), 0), before = result.text.lastIndexOf(' ', Math.max(at - 30, 0));
  const first = Math.max(before, 0);

  return (first > 0 ? '… ' : '') + result.text.slice(first, at + 90) + (at + 90 < result.text.length ? ' …' : '');
}

function element(name, className, text) {
  const made = document.createElement(name);

  made.className = className;
  made.textContent = text;
  return made;
}

function showResults(list, results, query) {
  list.replaceChildren();
  list.hidden = query.trim().length < 2;
  for (const result of results) {
    const link = element('a', '', '');

    link.href = result.address;
    link.append(element('b', '', result.section), element('span', 'page', result.title),
      element('span', 'excerpt', excerpt(result)));
    list.append(link);
  }
  if (results.length === 0)
    list.append(element('p', '', 'Nothing has all of these words.'));
}

function addSearch() {
  const box = element('div', '', ''), input = element('input', '', ''), list = element('div', '', '');

  box.id = 'site-search';
  list.id = 'site-results';
  list.hidden = true;
  input.type = 'search';
  input.placeholder = 'Search guides and API';
  input.setAttribute('aria-label', input.placeholder);
  input.addEventListener('input', () => showResults(list, ffebmSearch(input.value), input.value));
  input.addEventListener('keydown', event => {
    const first = list.querySelector('a');

    if (event.key === 'Enter' && first !== null)
      location.href = first.href;
    if (event.key === 'Escape')
      list.hidden = true;
  });
  document.addEventListener('click', event => {
    if (!box.contains(event.target) || event.target.closest('a') !== null)
      list.hidden = true;
  });
  document.addEventListener('keydown', event => {
    if (event.key === '/' && document.activeElement === document.body) {
      event.preventDefault();
      input.focus();
    }
  });
  box.append(input, list);
  document.getElementById('titlearea').append(box);
}

/* Doxygen gives each line of code an element of its own. */
function addCopying() {
  for (const code of document.querySelectorAll('div.fragment, pre.fragment')) {
    const around = element('div', 'copied-from', ''), button = element('button', 'copy', 'Copy');
    const lines = [...code.querySelectorAll('div.line')].map(line => line.textContent.replace(/\u00a0/g, ' '));
    const text = (lines.length > 0 ? lines.join('\n') : code.textContent).trimEnd();

    button.type = 'button';
    button.addEventListener('click', () => {
      const said = ok => {
        button.textContent = ok ? 'Copied' : 'Select and copy';
        setTimeout(() => { button.textContent = 'Copy'; }, 1500);
      };

      navigator.clipboard ? navigator.clipboard.writeText(text).then(() => said(true), () => said(false)) : said(false);
    });
    code.before(around);
    around.append(button, code);
  }
}

/* Pictures open in their own size. */
function addPictures() {
  for (const picture of document.querySelectorAll('.image img')) {
    const link = element('a', '', '');

    link.href = picture.src;
    picture.before(link);
    link.append(picture);
  }
}

/* The gallery: a card for each section. */
function addCards() {
  const page = document.querySelector('.guide_gallery div.textblock'), grid = element('div', 'gallery', '');
  let card = null;

  for (const part of page === null ? [] : [...page.children]) {
    if (part.tagName === 'H1') {
      card = element('div', 'card', '');
      grid.append(card);
    }
    if (card !== null)
      card.append(part);
  }
  if (page !== null)
    page.append(grid);
}

document.addEventListener('DOMContentLoaded', () => {
  document.body.classList.add((location.pathname.match(/([^/]*)\.html$/) || ['', 'index'])[1]);
  addSearch();
  addCopying();
  addPictures();
  addCards();
});
