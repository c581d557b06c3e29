// Five things that people come for, by keyboard and at a phone's width, with nothing but what the pages and letters say: a new account, seeing and
// correcting, withdrawing, downloading, erasing. At most four screens each, no dead end; pictures of every screen.
import os from 'node:os';
import { PASSWORD, company, letter, link } from './company.mjs';
import { checkForced, checkWidth, checkZoom } from './visit.mjs';

const MOST = 4, PAINT = 100;                                      // screens of a flow; ms until the first words of a page on loopback

/** Whatever one came to: it can be read, and says what can be done now. */
async function screen(one, name, all) {
    const fault = text => all.fault(`${name}, ${new URL(one.page.url()).pathname}: ${text}`);
    await one.sees();
    await checkWidth(one.page, fault);
    await checkZoom(one.page, fault);
    await checkForced(one.page, fault);
    const next = await one.page.evaluate(() => [...document.querySelectorAll('main :is(a[href], button)')].filter(e => e.checkVisibility()).length);
    if (!next && !await one.page.locator('main').innerText().then(text => /email/.test(text)))
        fault('a dead end: nothing to press, and no word of what comes next');
}

/** The newest first paint of a page, in ms: the best of some, since the machine does other things too. */
async function painted(page) {
    let best = Infinity;
    for (let i = 0; i < 12; i++) {
        await page.reload({ waitUntil: 'load' });
        await page.waitForTimeout(100);                           // an entry is made once the frame has been shown
        best = Math.min(best, await page.evaluate(() => performance.getEntriesByType('paint')[0]?.startTime ?? Infinity));
    }
    return best;
}

export async function flows(browser, site, folder) {
    const all = company(browser, site, folder, 'flow'), who = `flow.${site.policy}@people.example`;
    let screens = 0;
    async function flow(name, steps) {
        screens = 0;
        for (const step of steps) {
            await step();
            screens += 1;
            await screen(one, name, all);
        }
        if (screens > MOST)
            all.fault(`${name}: ${screens} screens`);
    }
    const one = await all.somebody();
    const menu = async place => {                                  // folded on a phone
        await one.press('.fold summary');
        await one.follow(`.fold a[href="${place}"]`);
    };
    const main = selector => () => one.follow(`main ${selector}`);
    try {
        await flow('register and sign in', [
            () => one.go('/register'),
            async () => {
                const asked = await one.wanted(), mail = Object.keys(asked).find(name => asked[name].includes('@'));
                await one.type({ ...asked, [mail]: who });
            },
            async () => one.go(link(await letter(site, who, 'identifier_confirm'))),
            () => one.type({ password: PASSWORD }),
        ]);
        one.at('/me');
        const paint = await painted(one.page);
        all.faults.note = `first paint of /me ${Math.round(paint)} ms`;
        // A machine with more to do than it can shows nothing about the page.
        if (paint > (os.loadavg()[0] > os.cpus().length ? 10 * PAINT : PAINT))
            all.fault(`the first paint of /me takes ${Math.round(paint)} ms`);
        const field = await one.page.locator('main a[href^="/me/edit/"]').first().getAttribute('href');
        await flow('see and correct', [
            () => one.go('/me'),
            main(`a[href="${field}"]`),
            async () => {
                const input = one.page.locator('main form.form input[type="text"]').first();
                const name = await input.getAttribute('name');
                await input.evaluate(e => { e.value = ''; });
                await one.type({ [name]: 'Corrected' }, 'main form.form button');
            },
        ]);
        await one.sees('Corrected');
        const given = 'form:has([name="decision"][value="given"]) button', taken = 'form:has([name="decision"][value="withdrawn"]) button';
        await one.go('/me/consents');
        if (await one.page.locator(`main ${given}`).count()) {
            await one.follow(`main ${given}`);
            await flow('withdraw', [() => one.go('/me/consents'), main(taken)]);
            if (await one.page.locator(`main ${taken}`).count())
                all.fault('withdrawn, and still given');
        }
        await flow('download', [() => one.go('/me'), () => menu('/me/export')]);
        const [file] = await Promise.all([one.page.waitForEvent('download'), one.press('main form button')]);
        if (!/\.zip$/.test(file.suggestedFilename()))
            all.fault(`what was downloaded is called ${file.suggestedFilename()}`);
        await flow('erase', [
            () => one.go('/me'),
            () => menu('/me/erase'),
            () => one.type({ sure: true }, 'main form .danger'),
        ]);
        await one.sees('certificate');
        await one.go('/me');
        one.at('/signin');
    } finally {
        await all.close();
    }
    return all.faults;
}
