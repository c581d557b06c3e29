// A story without JavaScript, on a phone, everything typed: staff opens an account, the person comes in, corrects, is looked at, sees it, and leaves.
import http from 'node:http';
import path from 'node:path';
import { guard, visitor } from './visit.mjs';

/** A request of the operator, on the data folder's own socket; the answer's JSON. */
function operator(site, method, target) {
    return new Promise((done, failed) => http.request({ socketPath: site.socket, method, path: target, headers: { 'Content-Length': 0 } }, answer => {
        let body = '';
        answer.on('data', part => { body += part; });
        answer.on('end', () => done(JSON.parse(body)));
    }).on('error', failed).end());
}

const PHONE = { width: 360, height: 740 };

export async function story(browser, site, folder) {
    const faults = [], contexts = [];
    const fault = text => faults.push(text);
    let step = 0;

    /** A browser of somebody, with the steps they take. */
    async function somebody() {
        const context = await visitor(browser, site, 'en', { script: false, viewport: PHONE });
        contexts.push(context);
        guard(context, site, text => /status of 4/.test(text) ? undefined : fault(text));
        const page = await context.newPage();
        return {
            page,
            go: target => page.goto(target, { waitUntil: 'load' }),
            async send(values, form = 'main form') {
                const at = page.locator(form).first();
                for (const [name, value] of Object.entries(values)) {
                    const input = at.locator(`[name="${name}"]`);
                    await (await input.evaluate(e => e.localName) === 'select' ? input.selectOption(value) : input.fill(value));
                }
                await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), at.locator('button').first().click()]);
            },
            async sees(...words) {
                const text = await page.locator('body').innerText();
                await page.screenshot({ path: path.join(folder, `story-${String(++step).padStart(2, '0')}.png`) });
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
        };
    }

    try {
        const { identifier, password, code } = site.people.clerk;
        const clerk = await somebody();
        await clerk.go('/staff/open');
        clerk.at('/signin');
        await clerk.send({ identifier, password });
        await clerk.send({ code });
        clerk.at('/staff/open');
        await clerk.sees('Open an account');
        const odiles = { 'identity.first_name': 'Odile', 'identity.last_name': 'Story', 'work.company': 'Studio Lumière', 'work.site': 'Lyon',
                         name: 'Audience 2026', why: 'contract 77' };
        await clerk.send({ ...odiles, 'contact.email': identifier });
        await clerk.sees('It exists already');
        await clerk.send({ 'contact.email': 'odile.story@people.example' });
        await clerk.sees('The account is opened', 'invited');
        const id = new URL(clerk.page.url()).pathname.split('/').pop();

        const odile = await somebody();
        await odile.go((await operator(site, 'POST', `/v1/accounts/${id}/invite`)).link);
        await odile.send({ password: 'short' });
        await odile.sees('12');
        await odile.send({ password });
        if (new URL(odile.page.url()).pathname === '/signin')
            await odile.send({ identifier: 'odile.story@people.example', password });
        await odile.go('/me');
        await odile.sees('Odile', 'Story', 'odile.story@people.example');
        await odile.go('/me/edit/contact');
        await odile.send({ 'contact.phone': '+33 1 23 45 67 89' });
        await odile.sees('+33 1 23 45 67 89');
        await odile.go('/me/rights');
        await odile.sees('Audience 2026', 'contract 77');

        await clerk.go('/staff/people');
        await clerk.send({ value: 'Odile.Story@people.example', purpose: 'service' }, 'form[action="/staff/find"]');
        clerk.at(`/staff/people/${id}`);
        await clerk.lacks('odile.story@people.example');
        await clerk.send({ purpose: 'service' }, `form.form[action="/staff/people/${id}"]`);
        await clerk.sees('Odile', 'odile.story@people.example');

        await odile.go('/me/looks');
        await odile.sees('Account staff', 'Provide the portal');
        await odile.go('/me');
        await Promise.all([odile.page.waitForNavigation({ waitUntil: 'load' }), odile.page.locator('form.signout button').click()]);
        await odile.sees('Sign in');
        await odile.page.goBack({ waitUntil: 'load' });
        await odile.lacks('odile.story@people.example');
        await odile.go('/me');
        odile.at('/signin');
    } finally {
        await Promise.all(contexts.map(context => context.close()));
    }
    return faults;
}
