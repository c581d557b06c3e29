// One page in one language, looked at as people do: wide and on a phone, light and dark, with and without JavaScript, by keyboard.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDE = { width: 1280, height: 900 }, TABLET = { width: 768, height: 1024 }, PHONE = { width: 320, height: 640 };
const STOPS = 60;                                                // focus is followed this far on long pages

/** What a context saw that no page may do: it is told to `fault`. */
export function guard(context, site, fault) {
    context.on('request', request => {
        if (new URL(request.url()).origin !== site.origin)
            fault(`a request to another host: ${request.url()}`);
    });
    context.on('console', message => {
        if (['error', 'warning'].includes(message.type()))
            fault(`on the console: ${message.text()}`);
    });
    context.on('weberror', error => fault(`a script failed: ${error.error()}`));
    context.on('requestfailed', request => {                      // one that the next page cuts short has not failed
        if (request.failure()?.errorText !== 'net::ERR_ABORTED')
            fault(`a request failed: ${request.url()} ${request.failure()?.errorText}`);
    });
}

/** A context as a visitor's browser, with the cookies of who is signed in. */
export async function visitor(browser, site, language, { script = true, viewport = WIDE, scheme = 'light', cookies = [] } = {}) {
    const context = await browser.newContext({
        baseURL: site.origin, locale: language === 'fr' ? 'fr-FR' : 'en-GB', javaScriptEnabled: script, viewport, colorScheme: scheme,
        reducedMotion: 'reduce', serviceWorkers: 'block', timezoneId: 'Europe/Paris',
    });
    context.setDefaultTimeout(20000);
    await context.addCookies(cookies);
    await context.addInitScript(() => document.addEventListener('securitypolicyviolation',
        event => console.error(`the content policy was violated: ${event.violatedDirective} ${event.blockedURI}`)));
    return context;
}

async function checkFrame(page, language, fault) {
    const said = await page.evaluate(() => ({
        lang: document.documentElement.lang, title: document.title.trim(), heads: document.querySelectorAll('h1').length,
        main: document.querySelectorAll('main').length,
        others: [...document.querySelectorAll('a[hreflang], button[name=language]')].map(e => e.hreflang ?? e.value),
        inline: document.querySelectorAll('script:not([src]):not([type="application/ld+json"]), [style]').length,
        canaries: document.querySelectorAll('img, [onerror], .canary').length,
        viewport: document.querySelector('meta[name=viewport]')?.content ?? '',
    }));
    if (said.lang !== language)
        fault(`the page is in "${said.lang}"`);
    if (said.canaries)
        fault(`${said.canaries} elements came out of data`);
    if (!said.title || said.heads !== 1 || said.main !== 1)
        fault(`title "${said.title}", ${said.heads} first headings, ${said.main} main parts`);
    if (!said.others.includes(language === 'fr' ? 'en' : 'fr'))
        fault('no link to the other language');
    if (said.inline)
        fault(`${said.inline} scripts or styles inside the page`);
    if (!/width=device-width/.test(said.viewport) || /user-scalable|maximum-scale/.test(said.viewport))
        fault(`viewport: ${said.viewport}`);
}

/** No scrolling sideways, and what sticks out by name. */
export async function checkWidth(page, fault) {
    const wide = await page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= room)
            return null;
        const out = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > room + 1);
        return `${document.documentElement.scrollWidth} px in ${room}: ` +
            out.slice(0, 5).map(e => `${e.localName}.${e.className} "${e.textContent.trim().slice(0, 40)}"`).join(', ');
    });
    if (wide)
        fault(`scrolls sideways, ${wide}`);
}

/** At 200 % a window of 1280 px has room for 640 (WCAG 1.4.4, 1.4.10): nothing is cut off or scrolls sideways there. */
export async function checkZoom(page, fault) {
    const before = page.viewportSize();
    await page.setViewportSize({ width: 640, height: 450 });
    await checkWidth(page, text => fault(`at 200 %, ${text}`));
    await page.setViewportSize(before);
}

/** With the reader's own colours (forced-colors) backgrounds and shadows are gone: buttons and fields still have an edge, and the place where
 *  one is has its weight. */
export async function checkForced(page, fault) {
    await page.emulateMedia({ forcedColors: 'active' });
    const found = await page.evaluate(() => {
        const seen = e => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 2;
        const edge = e => { const s = getComputedStyle(e); return s.borderTopStyle !== 'none' && parseFloat(s.borderTopWidth) >= 1; };
        const line = e => getComputedStyle(e).textDecorationLine.includes('underline') || edge(e);
        const fields = '.button, main input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), main select, main textarea';
        const bare = [...document.querySelectorAll(fields)].filter(e => seen(e) && !edge(e));
        const here = [...document.querySelectorAll('nav [aria-current]')].filter(e => seen(e) && Number(getComputedStyle(e).fontWeight) < 600);
        const flat = [...document.querySelectorAll('main p a')].filter(e => seen(e) && !line(e) && !e.querySelector('svg'));
        const name = e => `${e.localName} "${(e.textContent || e.name).trim().slice(0, 30)}"`;
        return { active: matchMedia('(forced-colors: active)').matches, bare: bare.map(name), here: here.map(name), flat: flat.map(name) };
    });
    await page.emulateMedia({ forcedColors: 'none' });
    if (!found.active)
        fault('the browser forces no colours: nothing was looked at');
    for (const [what, list] of [['has no edge', found.bare], ['is not told from other places', found.here], ['is not told from text', found.flat]])
        for (const one of list.slice(0, 3))
            fault(`with forced colours ${one} ${what}`);
}

export async function checkAxe(page, fault) {
    await page.evaluate(AXE);
    const found = await page.evaluate(tags => window.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })
        .then(result => result.violations.map(v => `${v.id} (${v.help}) on ${v.nodes.length}: ` + v.nodes.slice(0, 3).map(node =>
            node.target.join(' ') + ' ' + node.html.slice(0, 140) + ' ' + (node.any[0]?.message ?? '')).join(' | '))), TAGS);
    for (const violation of found)
        fault(`axe: ${violation}`);
}

/** What has the focus: whether it can be seen, and a name for messages. Runs in the page. */
function focused() {
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement)
        return null;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
    const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    const seen = inside && top && (e.contains(top) || top.contains(e) || top.localName === 'label' || e.getClientRects().length > 1);
    return { name: `${e.localName} "${(e.textContent || e.name || e.id).trim().slice(0, 40)}"`, ring, seen: Boolean(seen),
             index: window.tabStops.indexOf(e), skip: e.classList.contains('skip'), main: Boolean(e.closest('main')) };
}

/** Tab from the top: the skip link first, each stop seen and in the order of the page, none that holds the focus. */
async function checkKeyboard(page, fault) {
    const count = await page.evaluate(() => {
        const groups = new Set();
        window.tabStops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(e => {
            const group = e.type === 'radio' && `${e.form?.id} ${e.name}`;
            const again = group && groups.has(group);
            if (group)
                groups.add(group);
            return !again && !e.disabled && e.type !== 'hidden' && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true });
        });
        return window.tabStops.length;
    });
    await page.keyboard.press('Tab');
    const first = await page.evaluate(focused);
    if (!first?.skip || !first.seen)
        fault(`the first stop is not a skip link that is seen: ${JSON.stringify(first)}`);
    let last = first, reached = first ? 1 : 0;
    for (; reached < Math.min(count, STOPS); reached++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(focused);
        if (!at) {
            fault(`the keyboard reaches ${reached} of ${count} stops, the last is ${last?.name}`);
            break;
        }
        if (!at.ring)
            fault(`the focus cannot be seen on ${at.name}`);
        if (!at.seen)
            fault(`what has the focus is hidden or off the screen: ${at.name}`);
        if (last && at.index >= 0 && at.index < last.index)
            fault(`the focus goes back from ${last.name} to ${at.name}`);
        if (last && at.index >= 0 && at.index === last.index && at.name !== last.name)
            fault(`the focus is held by ${at.name}`);
        last = at;
    }
    await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
    await page.locator('a.skip').focus();
    await page.keyboard.press('Enter');
    if (!await page.evaluate(() => Boolean(document.activeElement?.closest('main')) || document.querySelector(':target')?.closest('main') !== null))
        fault('the skip link does not lead to the main part');
    const within = await page.evaluate(() => window.tabStops.some(e => e.closest('main')));
    if (within) {
        await page.keyboard.press('Tab');
        const next = await page.evaluate(focused);
        if (!next?.main)
            fault(`after the skip link comes ${next?.name}`);
    }
}

async function picture(page, folder, name) {
    fs.mkdirSync(folder, { recursive: true });
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const size = page.viewportSize();
    await page.screenshot({ path: path.join(folder, name + '.png'), fullPage: true,
                            clip: { x: 0, y: 0, width: size.width, height: Math.min(height, 3000) } });
}

function checkCookies(cookies, site, fault) {
    for (const cookie of cookies) {
        if (!site.cookies.includes(cookie.name))
            fault(`a cookie that the policy does not declare: ${cookie.name}`);
        if (!cookie.secure || (site.sessionCookie === cookie.name && !(cookie.httpOnly && cookie.sameSite === 'Lax')))
            fault(`the cookie ${cookie.name} lacks its attributes: ${JSON.stringify({ ...cookie, value: '' })}`);
    }
}

const said = page => page.evaluate(() => document.querySelector('main')?.innerText.replace(/\s+/g, ' ').trim() ?? '');

const MOST = 60000;                                               // bytes on the wire, with the style sheet

/** What the page weighs, as it was sent; the style sheet once a site. */
async function checkWeight(answer, site, fault) {
    const sent = async one => (await one.request().sizes()).responseBodySize;
    site.styleWeight ??= (async () => {
        const style = await fetch(site.origin + '/static/garant.css', { headers: { 'accept-encoding': 'gzip' } });
        return Number(style.headers.get('content-length')) || (await style.arrayBuffer()).byteLength;
    })();
    const weight = await sent(answer) + await site.styleWeight;
    if (weight > MOST)
        fault(`weighs ${weight} bytes with its style, ${MOST} at most`);
}

/** Dates in words and names by their titles: no ISO date and no key of a role in what people read, but where code is shown as such. */
async function checkWords(page, site, fault) {
    const text = await page.evaluate(() => {
        const copy = document.querySelector('main').cloneNode(true);
        copy.querySelectorAll('.code, code, pre, .typed, .mono, textarea, .canary').forEach(e => e.remove());
        return copy.textContent;
    });
    for (const date of new Set(text.match(/\b(19|20)\d\d-(0\d|1[0-2])(-[0-3]\d(T\d\d:\d\d)?)?\b/g) ?? []))
        fault(`a date as machines write it: ${date}`);
    // By the reader's own clock, in the words of the server, whoever put them there; what stands outside <time> cannot follow it.
    const strange = await page.evaluate(() => {
        const copy = document.querySelector('main').cloneNode(true), times = [...copy.querySelectorAll('time[datetime]')];
        const zone = at => { const away = -at.getTimezoneOffset(); return away ? `(UTC${away < 0 ? '-' : '+'}${Math.abs(away) / 60})` : 'UTC'; };
        const wrong = times.filter(time => /\d\d:\d\d/.test(time.textContent) && !time.textContent.endsWith(zone(new Date(time.dateTime))));
        times.forEach(time => time.remove());
        return [...wrong.map(time => time.textContent), ...copy.textContent.match(/\d\d:\d\d \(UTC[^)]*\)/g) ?? []];
    });
    for (const time of new Set(strange))
        fault(`a time by another clock than the reader's: ${time}`);
    for (const role of site.roles.filter(name => name.includes('_') && new RegExp(`\\b${name}\\b`).test(text)))
        fault(`the key of a role: ${role}`);
}

async function restyle(page, viewport, scheme) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
}

/** The browser windows of one worker: with and without JavaScript, kept as long as the same person looks in the same language. */
export class Windows {
    constructor(browser) {
        this.browser = browser;
        this.open = new Map();                                   // script → {key, context, page, tell}
    }

    async page(site, language, address, script, fault) {
        const key = `${site.policy} ${language} ${address.cookies?.map(cookie => cookie.value).join()}`;
        if (this.open.get(script)?.key !== key) {
            await this.open.get(script)?.context.close();
            const window = { key, tell: fault, context: await visitor(this.browser, site, language, { script, cookies: address.cookies }) };
            guard(window.context, site, text => window.tell(text));
            window.page = await window.context.newPage();
            this.open.set(script, window);
        }
        const window = this.open.get(script);
        window.tell = fault;
        return window.page;
    }

    async close() {
        for (const window of this.open.values())
            await window.context.close();
        this.open.clear();
    }
}

/** Opens the address, does its act, and checks status and content policy. */
export async function goTo(page, address, language, fault) {
    const path = address.lang ? `${address.path}${address.path.includes('?') ? '&' : '?'}lang=${language}` : address.path;
    let answer = await page.goto(path, { waitUntil: 'load' });
    if (address.act)
        answer = await address.act(page);
    if (answer.status() !== (address.status ?? 200))
        fault(`status ${answer.status()}`);
    if (!/default-src 'self'/.test(answer.headers()['content-security-policy'] ?? ''))
        fault('no content policy');
    return answer;
}

/** Looks at one address in one language; the faults found. French is read closely wide and light, English narrow and dark: axe, picture and
 *  keyboard there, the width of the page in both, and without JavaScript that it says the same. */
export async function visit(windows, site, language, address, folder) {
    const faults = [];
    const french = language === 'fr', scheme = french ? 'light' : 'dark';
    const near = french ? WIDE : PHONE, far = french ? PHONE : WIDE;
    let how = '';
    // The browser itself notes on the console that a page was not found.
    const fault = text => address.status >= 400 && /status of 4/.test(text) ? undefined : faults.push(`${how}: ${text}`);
    const name = address.name ?? (address.path.replace(/[0-9a-f]{64}/g, 'hash').replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'home');

    how = `with JavaScript, ${near.width} px, ${scheme}`;
    const page = await windows.page(site, language, address, true, fault);
    await restyle(page, near, scheme);
    const answer = await goTo(page, address, language, fault);
    const words = await said(page);
    await checkWeight(answer, site, fault);
    await checkWords(page, site, fault);
    await checkFrame(page, language, fault);
    await checkWidth(page, fault);
    await checkZoom(page, fault);
    await checkForced(page, fault);
    await checkAxe(page, fault);
    await picture(page, folder, `${name}-${language}-${near.width}-${scheme}`);
    how = `with JavaScript, by keyboard, ${near.width} px`;
    await checkKeyboard(page, fault);
    for (const size of [TABLET, far]) {
        how = `with JavaScript, ${size.width} px`;
        await page.setViewportSize(size);
        await checkWidth(page, fault);
    }
    checkCookies(await page.context().cookies(), site, fault);

    how = `without JavaScript, ${far.width} px`;
    const plain = await windows.page(site, language, address, false, fault);
    await restyle(plain, far, scheme);
    await goTo(plain, address, language, fault);
    await checkWidth(plain, fault);
    await plain.setViewportSize(near);
    const plainWords = await said(plain);
    if (address.moving ? plainWords.length < words.length * 0.9 : plainWords !== words)
        fault('says something else than with JavaScript');
    checkCookies(await plain.context().cookies(), site, fault);
    return faults;
}
