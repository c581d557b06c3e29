// A form that one script tag draws in the page of a listed site, under a strict Content-Security-Policy of that site: what it draws, what
// it says is wrong, what happens next, and what another site gets. node form.mjs SETTINGS.json gives the faults.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const at = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const faults = [];
const expect = (good, said) => good || faults.push(said);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu'] });

async function visit(where) {
    const context = await browser.newContext();
    const page = await context.newPage(), asked = [], said = [];
    context.on('request', request => asked.push(request.url()));
    context.on('console', message => ['error', 'warning'].includes(message.type()) && said.push(message.text()));
    context.on('weberror', error => said.push(String(error.error())));
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
        event => console.error(`the content policy was violated: ${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(where, { waitUntil: 'load' });
    return { context, page, asked, said, form: page.locator('section.garant-form') };
}

async function looks(page, when) {
    for (const colorScheme of ['light', 'dark'])
        for (const width of [1280, 320]) {
            await page.emulateMedia({ colorScheme });
            await page.setViewportSize({ width, height: 800 });
            await page.evaluate(axe);
            const found = await page.evaluate(tags => window.axe.run(document, { runOnly: tags }), TAGS);
            for (const one of found.violations)
                faults.push(`axe, ${when}, ${colorScheme}, ${width} wide: ${one.id}: ${one.nodes.map(node => node.target).join(' ')}`);
        }
}

/** Each field: its label, whether it must be filled in, and what is said of it. */
const fields = form => form.evaluate(section => [...section.querySelectorAll('input:not([type=hidden]), select, textarea')]
    .filter(one => one.checkVisibility()).map(one => ({
        name: one.name, type: one.type, label: one.labels[0]?.textContent ?? '', required: one.required, checked: one.checked === true,
        invalid: one.getAttribute('aria-invalid') === 'true',
        told: (one.getAttribute('aria-describedby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' ').trim(),
    })));

const OPTIONAL = { en: '(optional)', fr: '(facultatif)' };

async function draws(language) {
    const visitor = await visit(`${at.site}/${language}`), { page, form, asked, said } = visitor;
    expect(await form.count() === 1, `${language}: ${await form.count()} forms`);
    expect(await form.getAttribute('lang') === language, `${language}: its language is not told`);
    const shift = await page.evaluate(() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => done(sum), 50);
    }));
    expect(!shift, `${language}: the page moves while it loads: ${shift}`);
    const before = await fields(form), boxes = before.filter(one => one.type === 'checkbox'), typed = before.filter(one => one.type !== 'checkbox');
    expect(before.every(one => one.label.trim()), `${language}: a field without a label: ${JSON.stringify(before)}`);
    expect(typed.every(one => one.required !== one.label.includes(OPTIONAL[language])), `${language}: required or optional: ${JSON.stringify(typed)}`);
    expect(boxes.length === 4 && !boxes.some(one => one.checked), `${language}: ${boxes.length} boxes, ${boxes.filter(one => one.checked).length} ticked`);
    expect(await form.locator('[style], style').count() === 0, `${language}: a style inside the page`);
    await looks(page, `${language}, drawn`);
    await form.locator('button').click();
    const summary = form.locator('.garant-problem');
    await summary.waitFor();
    expect(await summary.evaluate(one => one === document.activeElement), `${language}: the summary has not the focus`);
    const after = (await fields(form)).filter(one => one.invalid);
    expect(String(after.map(one => one.name)) === 'identity.last_name,contact.email', `${language}: faults at ${after.map(one => one.name)}`);
    expect(await summary.locator('li').count() === 2 && after.every(one => one.told.length > 8), `${language}: ${JSON.stringify(after)}`);
    await looks(page, `${language}, with faults`);
    await summary.locator('a').nth(1).click();
    expect(await page.evaluate(() => document.activeElement.name) === 'contact.email', `${language}: the link leads not to its field`);
    return visitor;
}

async function sends(language, tick) {
    const { page, form, asked, said, context } = await draws(language);
    await form.locator('[name="identity.last_name"]').fill('Planted');
    await form.locator('[name="contact.email"]').fill('nobody');
    await form.locator('button').click();
    await page.waitForFunction(() => document.querySelectorAll('[aria-invalid]').length === 1);
    expect((await fields(form)).filter(one => one.invalid).map(one => one.name).join() === 'contact.email', `${language}: a wrong address`);
    await form.locator('[name="contact.email"]').fill(`drawn.${language}@x.example`);
    if (tick)
        await form.locator(`[name="${tick}"]`).check();
    await page.keyboard.press('Enter');
    if (tick)
        await form.locator('button').click().catch(() => { /* it is gone: Enter sent it */ });
    const done = form.locator('.garant-done');
    await done.waitFor();
    expect(await done.evaluate(one => one === document.activeElement) && await done.locator('p').count() === 2, `${language}: what happens next is not told`);
    expect(await form.locator('form').count() === 0, `${language}: the form is still there`);
    await looks(page, `${language}, sent`);
    expect(!said.some(one => !one.includes('422')), `${language}: on the console: ${said}`);
    expect(asked.every(url => [at.site, at.garant, 'data:'].some(mine => url.startsWith(mine))), `${language}: asked for ${asked}`);
    expect(!(await context.cookies()).length && !await page.evaluate(() => localStorage.length + sessionStorage.length), `${language}: something is kept`);
    await context.close();
}

await sends('en', 'consent.news.email');
await sends('fr', null);
{
    const { context, form } = await visit(`${at.stranger}/en`);
    expect(await form.count() === 0, 'a site that is not listed draws the form');
    await context.close();
}
{
    const { context, form } = await visit(`${at.stranger}/fr`);
    expect(await form.count() === 1, 'a page that hides its address draws nothing');
    await form.locator('[name="identity.last_name"]').fill('Planted');
    await form.locator('[name="contact.email"]').fill('stranger@x.example');
    await form.locator('button').click();
    await form.locator('.garant-problem a').waitFor();
    expect((await form.locator('.garant-problem a').getAttribute('href')).startsWith(`${at.garant}/forms/resource`), 'no way to the form itself');
    await context.close();
}
await browser.close();
console.log(JSON.stringify(faults));
