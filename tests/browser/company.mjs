// The people of a story: browsers without JavaScript at a phone's width, pictures of each step, the operator's socket and the letters that came.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { guard, visitor } from './visit.mjs';

const PHONE = { width: 360, height: 740 };
const PATIENCE = 60000;                                          // ms that a letter may take on a busy machine

/** A request of the operator, on the data folder's own socket; the answer's JSON. */
export function operator(site, method, target) {
    return new Promise((done, failed) => http.request({ socketPath: site.socket, method, path: target, headers: { 'Content-Length': 0 } }, answer => {
        let body = '';
        answer.on('data', part => { body += part; });
        answer.on('end', () => done(body && JSON.parse(body)));
    }).on('error', failed).end());
}

/** The newest letter of that kind to that address, once there are `count` of them; tests/lib/mailbox.py files them. */
export async function letter(site, to, kind, count = 1) {
    for (const until = Date.now() + PATIENCE; Date.now() < until; await new Promise(done => setTimeout(done, 50))) {
        const found = fs.readdirSync(site.letters).filter(name => name.endsWith('.json')).sort()
            .map(name => JSON.parse(fs.readFileSync(path.join(site.letters, name), 'utf8')))
            .filter(one => one.to.includes(to) && one.letter === kind);
        if (found.length >= count)
            return found.at(-1);
    }
    throw new Error(`no letter "${kind}" came to ${to}`);
}

/** Where a letter's link leads on the site that is tested. */
export const link = one => one.links[0].replace(/^https?:\/\/[^/]+/, '');

/** Those of one story: somebody() is a new browser, faults what went wrong, close() ends them all. Pictures are FOLDER/NAME-01.png and on. */
export function company(browser, site, folder, name, { language = 'en', viewport = PHONE } = {}) {
    const faults = [], contexts = [];
    const fault = text => faults.push(text);
    let step = 0;

    async function somebody() {
        const context = await visitor(browser, site, language, { script: false, viewport });
        contexts.push(context);
        guard(context, site, text => /status of 4/.test(text) ? undefined : fault(text));
        const page = await context.newPage();
        const away = act => Promise.all([page.waitForNavigation({ waitUntil: 'load' }), act()]);

        /** Tab, until what has the focus answers to the selector. */
        async function reach(selector) {
            for (let stops = 0; stops < 150; stops++) {
                if (await page.evaluate(wanted => document.activeElement?.matches(wanted), selector))
                    return;
                await page.keyboard.press('Tab');
            }
            throw new Error(`the keyboard does not reach ${selector} at ${page.url()}`);
        }

        const one = {
            page,
            go: target => page.goto(target, { waitUntil: 'load' }),
            /** Fills by their names what a form shows, and sends it. */
            async send(values, form = 'main form') {
                const at = page.locator(form).first();
                for (const [key, value] of Object.entries(values)) {
                    const input = at.locator(`[name="${key}"]`);
                    await (await input.evaluate(e => e.localName) === 'select' ? input.selectOption(value) : input.fill(value));
                }
                await away(() => at.locator('button').first().click());
            },
            /** The same by keyboard alone, wherever the fields stand. */
            async type(values, button = 'main form button') {
                for (const [key, value] of Object.entries(values)) {
                    await reach(`main [name="${key}"]`);
                    await (value === true ? page.keyboard.press('Space') : page.keyboard.type(value));
                }
                await reach(button);
                await away(() => page.keyboard.press('Enter'));
            },
            /** Presses what leads to no other page. */
            async press(selector) {
                await reach(selector);
                await page.keyboard.press('Enter');
            },
            /** Follows a link, or presses a button, by keyboard. */
            async follow(selector) {
                await reach(selector);
                await away(() => page.keyboard.press('Enter'));
            },
            async sees(...words) {
                const text = await page.locator('body').innerText();
                await page.screenshot({ path: path.join(folder, `${name}-${String(++step).padStart(2, '0')}.png`), fullPage: true });
                for (const word of words)
                    if (!text.includes(word))
                        fault(`step ${step}, at ${page.url()}: "${word}" is not there: ${text.slice(0, 300)}`);
            },
            async lacks(...words) {
                const text = await page.content();
                for (const word of words)
                    if (text.includes(word))
                        fault(`after step ${step}, at ${page.url()}: "${word}" is there`);
            },
            at: target => new URL(page.url()).pathname === target || fault(`after step ${step}: at ${page.url()}, not at ${target}`),
            /** What the form asks for, by name: what somebody would write there. Only what must be given is. */
            async wanted(form = 'main form') {
                const asked = await page.locator(`${form} :is(input, select, textarea)[required]`).evaluateAll(list => list.map(e => ({
                    name: e.name, type: e.type, options: [...(e.options ?? [])].map(option => option.value).filter(Boolean) })));
                return Object.fromEntries(asked.map(field => [field.name, written(field, name)]));
            },
        };
        return one;
    }

    return { somebody, faults, fault, close: () => Promise.all(contexts.map(context => context.close())) };
}

export const PASSWORD = 'Trombone-Lichen 42 Kestrels!';

function written(field, name) {
    switch (field.type) {
    case 'email': return `${name.toLowerCase()}@people.example`;
    case 'password': return PASSWORD;
    case 'tel': return '+33 6 12 34 56 78';
    case 'date': return '1990-05-17';
    case 'select-one': return field.options[0];
    default: return `Odile ${name}`;
    }
}
