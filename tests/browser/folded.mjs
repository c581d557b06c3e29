// Pages that fold what is long: short when folded, whole on paper, and a link to what is folded opens it.
import { guard, visitor } from './visit.mjs';

const PAGES = [
    { at: '/privacy', width: 1280, most: 4000, parts: 'main [data-clause]' },
    { at: '/promises', width: 390, most: 6000, parts: 'main .more > .inside, main .parts li' },
];
const height = page => page.evaluate(() => document.documentElement.scrollHeight);

/** Titles of what can be opened, by whether all behind them is on the page as it is shown now. */
const shut = page => page.locator('main details').evaluateAll(all => all.filter(e => {
    const title = e.querySelector(':scope > summary').getBoundingClientRect();
    return e.getBoundingClientRect().height < title.height + 10;
}).map(e => e.querySelector(':scope > summary').textContent.trim().slice(0, 40)));

async function look(page, { at, width, most, parts }, language, fault) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${at}?lang=${language}`, { waitUntil: 'load' });
    const tall = await height(page), all = await page.locator(parts).count(), folded = await shut(page);
    if (tall > most)
        fault(`${tall} px high at ${width} px, ${most} at most`);
    if (all < 20 || folded.length < 10)
        fault(`${all} parts, ${folded.length} titles to open`);
    await page.emulateMedia({ media: 'print' });
    const missing = await shut(page);
    if (missing.length)
        fault(`${missing.length} are shut on paper: ${missing.slice(0, 3)}`);
    await page.emulateMedia({ media: 'screen' });
    const deep = await page.locator(parts).evaluateAll(list => list.filter(e => e.id && e.closest('details:not([open])')).map(e => e.id));
    for (const id of [deep[0], deep.at(-1)].filter(Boolean)) {
        await page.goto('/cookies', { waitUntil: 'load' });
        await page.goto(`${at}?lang=${language}#${id}`, { waitUntil: 'load' });
        if (!await page.locator(`[id="${id}"]`).evaluate(e => e.checkVisibility() && e.getClientRects().length > 0))
            fault(`the link to #${id} leaves it folded`);
    }
}

export async function folded(browser, site) {
    const faults = [];
    for (const language of ['fr', 'en']) {
        const context = await visitor(browser, site, language, { script: true });
        let how = '';
        const fault = text => faults.push(`${how}, ${language}: ${text}`);
        guard(context, site, fault);
        const page = await context.newPage();
        for (const one of PAGES) {
            how = one.at;
            await look(page, one, language, fault);
        }
        await context.close();
    }
    return faults;
}
