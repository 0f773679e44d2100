/* Looks at every page of the site in a frame of each width, and uses it. tests/check_site.sh says which pages (`pages`), where
 * (`site`), and takes the lines of #said. */
'use strict';

const widths = [1300, 400];
const wanted = { // a word, and a page that must be among those that are found
  resistor: 'guide_user_blocks', ngspice: 'guide_circuits', mpirun: 'guide_cluster', hyperthreads: 'guide_cluster',
  safetensors: 'guide_getting_started', 'conformance kit': 'guide_user_blocks', netlist: 'guide_circuits',
  ffebm_engine_certify: 'analysis_8h', convergence: 'guide_', 'batch normalisation': 'guide_math',
};

function say(text) {
  document.getElementById('said').append(text + '\n');
}

function open(address, width) {
  return new Promise(done => {
    const frame = document.createElement('iframe');

    frame.style.cssText = `width: ${width}px; height: 900px; border: none`;
    frame.onload = () => setTimeout(() => done(frame), 50);
    frame.src = address;
    document.body.append(frame);
  });
}

function look(frame, page, width) {
  const { document: seen } = frame.contentWindow, root = seen.documentElement;

  if (root.scrollWidth > root.clientWidth)
    say(`${page} at ${width}: ${root.scrollWidth} pixels wide`);
  if (/[`<>]|&[a-z]+;/.test(seen.title))
    say(`${page}: markup in its title, ${seen.title}`);
  for (const image of seen.images)
    if (image.naturalWidth === 0)
      say(`${page}: no picture ${image.src}`);
  for (const code of seen.querySelectorAll('div.fragment, pre.fragment'))
    if (code.parentElement.querySelector('button.copy') === null)
      say(`${page}: code without a button`);
  for (const table of seen.querySelectorAll('table.markdownTable'))
    if (table.scrollWidth > table.clientWidth + 1 && getComputedStyle(table).overflowX !== 'auto')
      say(`${page} at ${width}: a table that does not scroll`);
}

function find(frame, width) {
  const { document: seen, Event } = frame.contentWindow, input = seen.querySelector('#site-search input');

  for (const [word, page] of Object.entries(wanted)) {
    input.value = word;
    input.dispatchEvent(new Event('input'));
    if (![...seen.querySelectorAll('#site-results a')].some(link => link.href.includes(page)))
      say(`search at ${width}: ${word} does not find ${page}`);
  }
  look(frame, 'search results', width);
}

function copy(frame, width) {
  const { document: seen, navigator } = frame.contentWindow;
  let copied = '';

  Object.defineProperty(navigator, 'clipboard', { value: { writeText: text => Promise.resolve(copied = text) } });
  seen.querySelector('button.copy').click();
  if (copied !== 'make install PREFIX=$HOME/ffebm')
    say(`copied at ${width}: "${copied}"`);
}

async function check() {
  for (const width of widths)
    for (const page of pages) {
      const frame = await open(page.includes('/') ? page : site + page, width);

      look(frame, page, width);
      if (page === 'index.html')
        find(frame, width);
      if (page === 'guide_getting_started.html')
        copy(frame, width);
      frame.remove();
    }
  say(`looked at ${pages.length} pages`);
}

check();
