// Somebody leaves a shared computer: node back.mjs TOLD.json. Visits pages signed in, signs out, here or from another device, and then goes back
// and forward as whoever sits down next would, in Chromium with its back/forward cache on. Prints one line a fault.
//   TOLD.json: {origin, identifier, password, paths: [pages that show what is theirs], secrets: [what nobody may read afterwards]}
import fs from 'node:fs';
import { chromium } from 'playwright-core';

const told = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const faults = new Set();
const PATIENCE = 300_000;                                        // milliseconds: only what never comes is a fault

async function signedIn(browser, script) {
    const context = await browser.newContext({ baseURL: told.origin, locale: 'en-GB', javaScriptEnabled: script });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    await page.goto('/signin');
    await page.fill('[name=identifier]', told.identifier);
    await page.fill('[name=password]', told.password);
    await Promise.all([page.waitForNavigation(), page.locator('main form button:not([type="button"])').first().click()]);
    return page;
}

/** One press of a button, and the page that comes of it. */
async function press(page, button) { await Promise.all([page.waitForNavigation(), page.locator(button).first().click()]); }

async function leaveFromElsewhere(browser) {
    const other = await signedIn(browser, true);
    await other.goto('/me/sessions');
    await press(other, 'form.after button');
    await other.context().close();
}

/** What stands there, once it does: a page that the browser kept whole comes back without loading. */
async function readable(page) {
    for (let tries = 0; tries < PATIENCE / 20 && await page.evaluate(() => document.readyState) !== 'complete'; tries++)
        await page.waitForTimeout(20);
    return await page.content() + await page.locator('body').innerText();
}

async function shared(browser, { elsewhere, script }) {
    const page = await signedIn(browser, script);
    for (const path of told.paths) {
        await page.goto(path);
        const text = await readable(page);
        if (!told.secrets.some(secret => text.includes(secret)))
            faults.add(`signed in, ${path} shows nothing of theirs`);
    }
    await (elsewhere ? leaveFromElsewhere(browser) : press(page, 'form.signout button'));
    for (const way of ['goBack', 'goForward'])
        for (let step = 1; step <= told.paths.length; step++) {
            await page[way]({ waitUntil: 'commit' });
            const text = await readable(page);
            for (const secret of told.secrets.filter(one => text.includes(one)))
                faults.add(`signed out ${elsewhere ? 'elsewhere' : 'here'}, ${way} ${step}: ${page.url()} shows "${secret}"`);
        }
    await page.context().close();
}

// Without that one of Playwright's own arguments the browser keeps whole pages for the way back, as people's browsers do.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu'], timeout: PATIENCE,
                                        ignoreDefaultArgs: ['--disable-back-forward-cache'] });
try {
    await shared(browser, { elsewhere: false, script: true });
    await shared(browser, { elsewhere: true, script: false });
} finally {
    await browser.close();
}
for (const fault of faults)
    console.log(fault);
process.exitCode = faults.size ? 1 : 0;
