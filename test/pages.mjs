// What a reader's browser makes of the pages: node test/pages.mjs [DIRECTORY [CHECK...]]
// Says `CHECK: PAGE, READER: fault` for each fault, and `CHECK: done` in the end.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(root + 'build/node/')
const { chromium } = require('playwright-core')

const [directory = root + 'docs', ...wanted] = process.argv.slice(2)
const pages = readdirSync(directory).filter(name => name.endsWith('.html'))
const book = ['going.c.html']

// What runs inside a page is written in these words.
function vocabulary() {
  Object.assign(globalThis, {
    all: selector => [...document.querySelectorAll(selector)],
    style: (element, pseudo) => getComputedStyle(element, pseudo),
    box: element => element.getBoundingClientRect(),
    tell: element => element.outerHTML.replace(/\s+/g, ' ').slice(0, 90),
    isShown: element => element.getClientRects().length > 0,
    // Of what is higher than the window only a part can be.
    isInView: ({ top, bottom, left, right, height }) => (top > -1 || height > innerHeight - 100) &&
      top < innerHeight && bottom > 0 && right > 0 && left < innerWidth,
    scrolls: element => /auto|scroll/.test(style(element).overflowX) &&
      element.scrollWidth > element.clientWidth,
    isInBox: element => element && (scrolls(element) || isInBox(element.parentElement)),
    // The elements that have words of their own.
    texts: () => all('body *').filter(element => isShown(element) &&
      [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())),
    // Luminance and contrast as WCAG has them; no luminance where there is no colour.
    luminance: colour => {
      const [r, g, b, alpha = 1] = (colour.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number)
      const linear = value =>
        value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4
      return alpha ? 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) : undefined
    },
    contrast: (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05),
    ink: element => luminance(element.closest('svg') ? style(element).fill : style(element).color),
    // The words of a state have its box behind them, the first thing in their group.
    ground: element => {
      if (!element) return 1
      const { backgroundColor } = style(element)
      const behind = element.localName === 'g' && element.querySelector('rect')
      return luminance(behind ? style(behind).fill : backgroundColor) ?? ground(element.parentElement)
    },
  })
}

// Each check looks at some pages as some readers see them: `look` gets the page
// in the browser, its name and what it has requested, and returns its faults.
const inPage = question => page => page.evaluate(question)
const schemes = [{ colorScheme: 'light' }, { colorScheme: 'dark' }]
const checks = {
  alone: {
    async look(page, name, requests) {
      const seen = async page => JSON.stringify(await page.evaluate(() => all('*').map(element =>
        [box(element), style(element).color]))) + (await page.screenshot()).toString('hex')
      const withoutScripts = await browser.newPage({ javaScriptEnabled: false })
      await open(withoutScripts, name)
      const same = await seen(page) === await seen(withoutScripts)
      await withoutScripts.close()
      return [
        ...same ? [] : ['looks different without scripts'],
        ...requests.slice(1).map(address => `requests ${address}`),
        ...await page.evaluate(() => all('*').filter(element => element.localName === 'script' ||
          element.getAttributeNames().some(key => key.startsWith('on')))
          .map(element => `has ${tell(element)}`)),
      ]
    },
  },

  width: {
    readers: [320, 390, 768, 1024, 1360, 1920].map(width => ({ width })),
    look: inPage(() => [
      ...document.documentElement.scrollWidth > innerWidth ? ['scrolls sideways'] : [],
      ...texts().filter(element => box(element).right > innerWidth + 1 && !isInBox(element))
        .map(element => `sticks out: ${tell(element)}`),
    ]),
  },

  columns: {
    only: book,
    readers: [{ width: 1360 }, { width: 1920 }],
    look: inPage(() => all('body *').filter(scrolls).map(element => `scrolls: ${tell(element)}`)),
  },

  // A line has ended where the next word stands further left.
  measure: {
    look: inPage(() => all('main p:not(.users), main li, main dd').filter(isShown).flatMap(element => {
      const lines = []
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
      for (let node, last = Infinity; (node = walker.nextNode());) {
        if (node.parentElement.closest('p, li, dd, pre') !== element) continue
        for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
          const range = document.createRange()
          range.setStart(node, index)
          range.setEnd(node, index + word.length)
          const { left } = box(range)
          lines.push(left < last ? word.length : lines.pop() + 1 + word.length)
          last = left
        }
      }
      const full = lines.slice(0, -1)
      const mean = Math.round(full.reduce((sum, length) => sum + length, 0) / full.length)
      return full.length < 2 || (mean >= 45 && mean <= 75) ? []
        : [`${mean} characters a line: ${tell(element)}`]
    })),
  },

  // An ex is the height of a small letter: some fonts are larger than others of their size.
  height: {
    look: inPage(() => {
      const ex = element => {
        const rule = element.appendChild(document.createElement('span'))
        rule.style = 'display: inline-block; font-size: 100em; width: 1ex'
        const { width } = box(rule)
        rule.remove()
        return width
      }
      return all('main p > code').filter(isShown)
        .filter(code => Math.abs(ex(code) / ex(code.parentElement) - 1) > 0.05)
        .map(code => `not as high as the words around it: ${tell(code)}`)
    }),
  },

  // In the middle of a section, its heading is what is seen at the top.
  bar: {
    readers: [{ width: 390 }, { width: 1360 }],
    look: inPage(() => all('main > section').flatMap((section, i, sections) => {
      const bar = section.querySelector('.bar')
      const [, back, , on] = bar.querySelectorAll('a')
      scrollTo(0, scrollY + (box(section).top + box(section).bottom) / 2)
      const isLong = box(section).top < -1 && box(section).bottom > 2 * box(bar).height
      const heading = bar.querySelector('h2')
      const { left, top, height } = box(heading)
      const hit = document.elementFromPoint(left + 5, top + height / 2)
      return [
        ...!isLong || (box(bar).top > -1 && box(bar).top < 1) ? [] : ['does not stay'],
        ...!isLong || heading.contains(hit) ? [] : ['is covered'],
        ...back.hash === `#${sections[i - 1]?.id ?? 'top'}` ? [] : ['wrong way back'],
        ...on.hash === `#${sections[i + 1]?.id ?? 'top'}` ? [] : ['wrong way on'],
      ].map(fault => `${fault}: ${tell(heading)}`)
    })),
  },

  phone: {
    readers: [{ width: 320 }, { width: 390 }],
    async look(page) {
      const shown = () => page.evaluate(() => all('.contents a').filter(isShown).length)
      const folded = await shown()
      await page.click('.contents summary')
      const unfolded = await shown()
      return [
        ...folded ? ['the contents are not folded'] : [],
        ...unfolded ? [] : ['the contents cannot be unfolded'],
        ...await page.evaluate(() => [
          ...new Set(all('header nav li').map(item => box(item).top)).size === 1
            ? [] : ['the links to the pages take more than a line'],
          ...all('main figure').filter(isShown).map(() => 'a drawing, too small to be read'),
          ...all('main table.machine').filter(table => !isShown(table) || isInBox(table))
            .map(() => 'the table of states is cut off'),
        ]),
      ]
    },
  },

  // Near the edge of a box, in its padding, is no text, but there is the shadow, until all has
  // been scrolled. All boxes of a page have one style.
  edges: {
    readers: [{ width: 390 }, { width: 390, colorScheme: 'dark' }],
    async look(page) {
      const faults = []
      const wide = await page.evaluateHandle(() =>
        // Less than the ground that hides a shadow (3rem) has a faint one.
        all('main :is(pre, .scroll)').filter(at => at.scrollWidth - at.clientWidth > 48)
          .slice(0, 3))
      for (const element of (await wide.getProperties()).values()) {
        await element.evaluate(at => at.scrollIntoView( // its top has to be seen
          { block: at.clientHeight < innerHeight ? 'center' : 'start' }))
        const edge = async () => {
          const { x, y, width } = await element.boundingBox()
          const clip = { x: x + width - 9, y: y + 4, width: 3, height: 1 }
          return (await page.screenshot({ clip })).toString('hex')
        }
        const before = await edge()
        await element.evaluate(element => { element.scrollLeft = 1e6 })
        if (before !== await edge()) continue
        faults.push(`no shadow: ${await element.evaluate(at => tell(at))}`)
      }
      return faults
    },
  },

  // 96 px are a heading, 1800 px two screens.
  rows: {
    only: book,
    look: inPage(() => all('main pre.code').flatMap(code => {
      const words = code.parentElement.previousElementSibling
      const first = code.querySelector('span')
      if (!words) return []
      const late = box(first).top - box(code.closest('.row')).top
      const empty = Math.abs(box(words.lastElementChild || words).bottom - box(code).bottom)
      return [
        ...box(code).left >= box(words).right ? [] : ['not beside its words'],
        ...late < 96 ? [] : [`${late} px below the top of its row`],
        ...empty < 1800 ? [] : [`beside ${empty} px of nothing`],
      ].map(fault => `${fault}: ${tell(first)}`)
    })),
  },

  picture: {
    only: book,
    readers: schemes,
    look: inPage(() => {
      const labels = all('main svg text').map(label => ({ label, ...box(label).toJSON() }))
      const frame = labels.length ? box(document.querySelector('main svg')) : 0
      const points = all('main svg path:not(marker *, .life)').flatMap(path =>
        Array.from({ length: path.getTotalLength() / 2 }, (_, i) =>
          path.getPointAtLength(2 * i).matrixTransform(path.getScreenCTM())))
      const touch = (a, b) =>
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
      const faults = {
        'sticks out': ({ left, right, top, bottom }) =>
          left < frame.left || right > frame.right || top < frame.top || bottom > frame.bottom,
        'overlaps another': one => labels.some(other => other !== one && touch(one, other)),
        'struck through': ({ left, right, top, bottom }) => points.some(({ x, y }) =>
          left < x && x < right && top < y && y < bottom),
        'too small': ({ label }) => parseFloat(style(label).fontSize) * label.getScreenCTM().a < 11,
      }
      return labels.length ? Object.entries(faults).flatMap(([fault, has]) =>
        labels.filter(has).map(({ label }) => `${fault}: ${tell(label)}`)) : ['there is none']
    }),
  },

  scheme: {
    readers: schemes,
    look: inPage(() => [
      ...matchMedia('(prefers-color-scheme: dark)').matches === ground(document.body) < 0.1
        ? [] : ['the wrong ground'],
      ...texts().filter(element => contrast(ink(element), ground(element)) < 4.5)
        .map(element => `hard to read: ${tell(element)}`),
    ]),
  },

  motion: {
    readers: [{ reducedMotion: 'reduce' }],
    look: inPage(() => all('*').filter(element =>
      [undefined, '::before', '::after'].map(pseudo => style(element, pseudo)).some(how =>
        how.scrollBehavior === 'smooth' ||
        parseFloat(how.transitionDuration) || parseFloat(how.animationDuration)))
      .map(element => `moves: ${tell(element)}`)),
  },

  // A4 within its margins is 718 px wide, and paper does not scroll.
  print: {
    readers: [{ media: 'print', colorScheme: 'dark', width: 718 }],
    look: async page => [
      ...await page.evaluate(() => [
        ...all('html, body, body *').filter(element => ground(element) < 1)
          .map(element => `not on white: ${tell(element)}`),
        ...texts().filter(ink).map(element => `not black: ${tell(element)}`),
        ...all('body *').filter(element => box(element).right > innerWidth + 1 ||
          (style(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth))
          .map(element => `cut off: ${tell(element)}`),
        ...all('.contents li a').filter(link => !isShown(link))
          .map(link => `not listed: ${tell(link)}`),
      ]),
      ...(await page.pdf({ format: 'A4' })).includes('%%EOF') ? [] : ['does not print'],
    ],
  },

  axe: {
    readers: schemes.flatMap(scheme => [390, 1360].map(width => ({ ...scheme, width }))),
    async look(page) {
      await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'))
      const { violations } = await page.evaluate(() => globalThis.axe.run({
        resultTypes: ['violations'],
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }))
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html }) => `${id}: ${html.slice(0, 90)}`))
    },
  },

  links: {
    readers: [{ width: 390 }, { width: 1360 }],
    async look(page, name) {
      const hrefs = from =>
        [...readFileSync(resolve(directory, from), 'utf8').matchAll(/href="([^"#]*)#?([^"]*)"/g)]
          .map(([, to, id]) => [to || from, id])
      const files = new Set(hrefs(name).map(([to]) => to).filter(to => !to.startsWith('https://')))
      const ids = pages.flatMap(hrefs).filter(([to, id]) => to === name && id).map(([, id]) => id)
      const lost = await page.evaluate(ids => ids.filter(id => {
        location.hash = id
        const target = document.querySelector(':target')
        return target?.id !== id || !isInView(box(target))
      }), [...new Set(ids)])
      return [
        ...lost.map(id => `does not land: #${id}`),
        ...[...files].filter(to => !existsSync(resolve(directory, to))).map(to => `not there: ${to}`),
        ...pages.filter(other => !files.has(other)).map(other => `no link to ${other}`),
      ]
    },
  },

  underline: {
    look: inPage(() => all('main a, footer a').filter(link =>
      !link.matches(':is(h2, h3, .bar) *, .code :empty') &&
      style(link).textDecorationLine !== 'underline').map(link => `only a colour: ${tell(link)}`)),
  },

  skip: {
    async look(page) {
      for (const key of ['Tab', 'Enter', 'Tab']) await page.keyboard.press(key)
      return page.evaluate(() =>
        document.querySelector('main:target')?.contains(document.activeElement)
          ? [] : [`leads to ${tell(document.activeElement)}`])
    },
  },

  keyboard: {
    async look(page) {
      await page.evaluate(() => { globalThis.been = new Set() })
      const faults = []
      const stop = () => page.evaluate(() => {
        const at = document.activeElement
        if (at === document.body || been.has(at)) return null
        been.add(at)
        const { outlineStyle, outlineWidth, outlineColor } = style(at)
        return [
          ...isInView(box(at)) ? [] : [`out of sight: ${tell(at)}`],
          ...outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 &&
            contrast(luminance(outlineColor), ground(at.parentElement)) >= 3
            ? [] : [`no ring: ${tell(at)}`],
        ]
      })
      for (let found = []; found; found = await stop()) {
        faults.push(...found)
        await page.keyboard.press('Tab')
      }
      return faults.concat(await page.evaluate(() => [
        ...all('a').filter(link => !been.has(link) && isShown(link) &&
          !link.matches('.code span[id] > a:empty')),
        ...all('body *').filter(element => scrolls(element) && element.tabIndex < 0),
        ...all('h2, h3').filter(heading => ![...been].some(link => heading.contains(link) &&
          link.hash === `#${heading.id || heading.closest('section').id}`)),
      ].map(element => `not to be reached: ${tell(element)}`)))
    },
  },

  selection: {
    only: book,
    async look(page) {
      await page.keyboard.press('Control+A')
      const selected = new Set((await page.evaluate(() => getSelection().toString())).split('\n'))
      return readFileSync(root + 'going.c', 'utf8').split('\n')
        .filter(line => line.trim() && !line.startsWith('//') && !selected.has(line))
        .map(line => `not as it is in the file: ${line}`)
    },
  },
}

// No name leads anywhere: a page that needs the network is a broken page.
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--disable-gpu', '--disable-quic', '--host-resolver-rules=MAP * ~NOTFOUND'],
})
const tab = await browser.newPage()
let requests
tab.on('request', request => requests.push(request.url()))

async function open(tab, name, reader = {}) {
  const { width = 1360, media = 'screen', colorScheme = 'light', reducedMotion = null } = reader
  await tab.setViewportSize({ width, height: 900 })
  await tab.emulateMedia({ media, colorScheme, reducedMotion })
  await tab.goto(pathToFileURL(resolve(directory, name)).href)
  await tab.evaluate(vocabulary)
}

for (const check of wanted.length ? wanted : Object.keys(checks)) {
  const { look, only = pages, readers = [{}] } = checks[check]
  for (const reader of readers) {
    for (const name of only) {
      requests = []
      const looked = open(tab, name, reader).then(() => look(tab, name, requests))
      for (const fault of await looked.catch(error => [error.message])) {
        console.log(`${check}: ${[name, ...Object.values(reader)].join(', ')}: ${fault}`)
        process.exitCode = 1
      }
    }
  }
  console.log(`${check}: done`)
}
await browser.close()
