// The banner on a site of others: what leaves the browser before a choice, after a refusal, an acceptance, a withdrawal, under a signal,
// without a record, and without script. node banner.mjs SETTINGS.json gives the faults as JSON; tests/browser/run calls banner() itself.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PURPOSES = ['personalisation', 'audience'];

/** One visitor: everything that a page asked for, and what stands in the browser. */
class Visitor {
    constructor(context, page, at) {
        Object.assign(this, { context, page, at, asked: [] });
        context.on('request', request => this.asked.push(request.url()));
    }
    static async make(browser, at, options = {}, init) {
        const context = await browser.newContext(options);
        if (init)
            await context.addInitScript(init);
        return new Visitor(context, await context.newPage(), at);
    }
    async go(where = '/shop/en') {
        await this.page.goto(this.at.site + where, { waitUntil: 'load' });
        await this.quiet();
    }
    /** Nothing more is asked for a while. */
    async quiet() {
        for (let before = -1; before !== this.asked.length;) {
            before = this.asked.length;
            await this.page.waitForTimeout(400);
        }
    }
    others() {
        return this.asked.filter(url => url.startsWith(this.at.other)).map(url => url.slice(this.at.other.length));
    }
    async cookies() {
        return (await this.context.cookies()).map(one => `${one.name}=${one.value}`).sort();
    }
    storage() {
        return this.page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort());
    }
    banner() { return this.page.locator('garant-consent section'); }
    press(name) { return this.page.locator('garant-consent').getByRole('button', { name, exact: true }).click(); }
    async settled() {
        await this.page.waitForFunction(() => !document.querySelector('garant-consent'));
        await this.quiet();
    }
    async open() {
        await this.page.locator('[data-garant-consent]').click();
        await this.banner().waitFor();
    }
}

/** Nothing but what the choice itself needs. */
async function nothing(faults, who, when, cookies) {
    if (who.others().length)
        faults.push(`${when}: the third party was asked for ${who.others()}`);
    if (String(await who.cookies()) !== String(cookies))
        faults.push(`${when}: cookies ${await who.cookies()} instead of ${cookies}`);
    if ((await who.storage()).length)
        faults.push(`${when}: storage ${await who.storage()}`);
    const away = who.asked.filter(url => ![who.at.site, who.at.garant, 'data:'].some(mine => url.startsWith(mine)));
    if (away.length)
        faults.push(`${when}: asked for ${away}`);
}

/** How a press on a button costs: Tabs from the page's start, place, size, colours. */
async function cost(who, name) {
    const button = who.page.locator('garant-consent').getByRole('button', { name, exact: true });
    const box = await button.boundingBox();
    const look = await button.evaluate(one => {
        const s = getComputedStyle(one);
        return [s.color, s.backgroundColor, s.borderColor, s.borderWidth, s.fontSize, s.fontWeight, s.opacity, s.padding].join();
    });
    return { box, look, level: await button.evaluate(one => one.parentElement.parentElement.tagName) };
}

/** How many Tabs from the page's start each button takes. */
async function tabs(who, names) {
    const found = {};
    for (let count = 1; count < 40 && names.some(name => !(name in found)); count++) {
        await who.page.keyboard.press('Tab');
        found[await who.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent)] ??= count;
    }
    return names.map(name => found[name] ?? Infinity);
}

async function looks(faults, who, words, folder) {
    const [refuse, accept] = [await cost(who, words.refuse), await cost(who, words.accept)];
    if (refuse.look !== accept.look || refuse.level !== accept.level || Math.abs(refuse.box.width - accept.box.width) > 1 ||
        Math.abs(refuse.box.height - accept.box.height) > 1 || Math.abs(refuse.box.y - accept.box.y) > 1)
        faults.push(`refusing looks otherwise than accepting: ${JSON.stringify([refuse, accept])}`);
    const [first, second] = await tabs(who, [words.refuse, words.accept]);
    if (!(first <= second && second < Infinity))
        faults.push(`refusing takes ${first} Tabs, accepting ${second}`);
    const shift = await who.page.evaluate(() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => done(sum), 50);
    }));
    if (shift > 0)
        faults.push(`the page moves while it loads: ${shift}`);
    for (const scheme of ['light', 'dark'])
        for (const width of [1280, 320]) {
            await who.page.emulateMedia({ colorScheme: scheme });
            await who.page.setViewportSize({ width, height: 800 });
            await who.page.evaluate(axe);
            const found = await who.page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
            for (const one of found.violations)
                faults.push(`axe, ${scheme}, ${width} wide: ${one.id}: ${one.nodes.map(node => node.target).join(' ')}`);
            if (await who.page.evaluate(() => document.documentElement.scrollWidth > innerWidth))
                faults.push(`at ${width} the page scrolls sideways`);
            if (folder)
                await who.page.screenshot({ path: path.join(folder, `banner-${scheme}-${width}.png`) });
        }
    await who.page.setViewportSize({ width: 1280, height: 800 });
}

async function refuses(faults, browser, at, folder) {
    for (const language of ['en', 'fr']) {
        const who = await Visitor.make(browser, at), words = at.words[language];
        await who.go(`/shop/${language}`);
        await who.banner().waitFor();
        await nothing(faults, who, 'before a choice', []);
        await looks(faults, who, words, language === 'en' ? folder : null);
        await who.page.locator('garant-consent').getByRole('button', { name: words.refuse, exact: true }).focus();
        await who.page.keyboard.press('Enter');
        await who.settled();
        await nothing(faults, who, 'after a refusal', ['choice=0.']);
        await who.go(`/shop/${language}`);
        await nothing(faults, who, 'on the next page after a refusal', ['choice=0.']);
        if (await who.banner().count())
            faults.push('asked again after a refusal');
        await who.context.close();
    }
}

const ALL = ['/beacon', '/count.js', '/frame', '/seen.gif'];

async function accepts(faults, browser, at) {
    const who = await Visitor.make(browser, at), words = at.words.en;
    await who.go();
    await who.banner().waitFor();
    await who.press(words.accept);
    await who.settled();
    if (String([...new Set(who.others())].sort()) !== String(ALL))
        faults.push(`after an acceptance the third party was asked for ${who.others()}`);
    const kept = await who.cookies();
    if (!kept.some(one => /^choice=0\.personalisation~audience\.[\w-]{43}$/.test(one)) || !kept.includes('audience=42') || !kept.includes('taste=blue'))
        faults.push(`after an acceptance: cookies ${kept}`);
    if (String(await who.storage()) !== 'tastes,tastes_now')
        faults.push(`after an acceptance: storage ${await who.storage()}`);
    who.asked.length = 0;
    await who.go();
    if (await who.banner().count() || String([...new Set(who.others())].sort()) !== String(ALL))
        faults.push(`on the next page after an acceptance: ${who.others()}`);
    return who;
}

async function withdraws(faults, browser, at) {
    const who = await accepts(faults, browser, at), words = at.words.en;
    await who.open();
    const focused = await who.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.tagName);
    if (focused !== 'H2')
        faults.push(`opened by its link, the keyboard is on ${focused}`);
    who.asked.length = 0;
    await Promise.all([who.page.waitForEvent('load'), who.press(words.refuse)]);
    await who.settled();
    await who.context.clearCookies({ domain: new URL(at.other).hostname });          // its own, which no page of the site reaches
    await nothing(faults, who, 'after a withdrawal', ['choice=0.']);
    await who.go();
    await nothing(faults, who, 'on the next page after a withdrawal', ['choice=0.']);
    await who.context.close();
}

async function chooses(faults, browser, at) {
    const who = await Visitor.make(browser, at), words = at.words.en;
    await who.go();
    await who.banner().waitFor();
    await who.press(words.choose);
    const boxes = who.page.locator('garant-consent input');
    if (await boxes.count() !== PURPOSES.length || await who.page.locator('garant-consent input:checked').count())
        faults.push('there is not one unticked box for each purpose');
    await who.page.locator('garant-consent').getByLabel(at.titles.audience).check();
    await who.press(words.save);
    await who.settled();
    if (who.others().includes('/frame') || !who.others().includes('/beacon') || (await who.storage()).length)
        faults.push(`one purpose accepted: ${who.others()} ${await who.storage()}`);
    await who.context.close();
}

/** By the header of the requests, or by what the page's scripts see: either is enough. */
async function signals(faults, browser, at, options, init) {
    const who = await Visitor.make(browser, at, options, init);
    await who.go();
    await who.settled();
    await nothing(faults, who, 'under Global Privacy Control', ['choice=0.']);
    const sent = () => who.asked.filter(url => url.includes('/v1/trackers/choices')).length;
    if (sent() !== 1)
        faults.push(`the signal was recorded ${sent()} times`);
    await who.go();
    if (sent() !== 1 || await who.banner().count())
        faults.push('the signal is recorded again, or asked about, on the next page');
    await who.open();
    await who.press(at.words.en.accept);
    await who.settled();
    await who.go();
    if (!who.others().includes('/beacon'))
        faults.push('what was chosen by hand does not stand above the signal');
    await who.context.close();
}

/** A site that the policy does not list cannot record a choice: then nothing is on, and the banner says so. */
async function unrecorded(faults, browser, at) {
    const who = await Visitor.make(browser, { ...at, site: at.stranger });
    await who.go();
    await who.banner().waitFor();
    await who.press(at.words.en.accept);
    await who.page.locator('garant-consent [role=alert]').waitFor();
    await nothing(faults, who, 'without a record', []);
    await who.context.close();
}

async function scriptless(faults, browser, at) {
    const who = await Visitor.make(browser, at, { javaScriptEnabled: false });
    await who.go();
    if (who.others().length || (await who.cookies()).length)
        faults.push(`without script: ${who.others()} ${await who.cookies()}`);
    await who.context.close();
}

export async function banner(browser, at, folder) {
    const faults = [];
    await refuses(faults, browser, at, folder);
    await withdraws(faults, browser, at);
    await chooses(faults, browser, at);
    await signals(faults, browser, at, { extraHTTPHeaders: { 'Sec-GPC': '1' } });
    await signals(faults, browser, at, {}, () => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }));
    await unrecorded(faults, browser, at);
    await scriptless(faults, browser, at);
    return faults;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu'] });
    try {
        const { at, folder } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
        process.stdout.write(JSON.stringify(await banner(browser, at, folder)) + '\n');
    } finally {
        await browser.close();
    }
}
