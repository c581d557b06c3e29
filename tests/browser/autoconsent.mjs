// autoconsent of DuckDuckGo, as browsers run it, with the rule that we ship (docs/autoconsent.json): it finds the banner and refuses on it.
import fs from 'node:fs';
import path from 'node:path';

/** What autoconsent tells of itself, by the kind of message; its own script's part of a browser that asks it to refuse. */
export async function autoconsent(browser, at, top) {
    const script = fs.readFileSync(path.join(import.meta.dirname, 'node_modules/@duckduckgo/autoconsent/dist/autoconsent.playwright.js'), 'utf8');
    const rule = JSON.parse(fs.readFileSync(path.join(top, 'docs/autoconsent.json'), 'utf8'));
    const config = { enabled: true, autoAction: 'optOut', disabledCmps: [], enablePrehide: false, enableCosmeticRules: false, detectRetries: 20,
                     isMainWorld: true, prehideTimeout: 2000 };
    const faults = [], told = {};
    const context = await browser.newContext(), page = await context.newPage();
    await page.exposeBinding('autoconsentSendMessage', ({ frame }, message) => {
        told[message.type] = message;
        const answer = { init: { type: 'initResp', config, rules: { autoconsent: [rule] } },
                         autoconsentDone: { type: 'selfTest' } }[message.type];
        if (answer)
            frame.evaluate(said => window.autoconsentReceiveMessage(said), answer).catch(() => {});
    });
    await page.goto(at.site + '/shop/en', { waitUntil: 'load' });
    await page.evaluate(script);
    await page.waitForFunction(() => document.cookie.includes('choice='), null, { timeout: 20000 })
        .catch(() => faults.push('it did not choose'));
    for (let tries = 0; tries < 200 && !told.selfTestResult; tries++)
        await page.waitForTimeout(100);
    if (told.cmpDetected?.cmp !== 'garant' || !told.popupFound)
        faults.push(`it did not find the banner: ${Object.keys(told)}`);
    if (!told.optOutResult?.result || !told.selfTestResult?.result)
        faults.push(`it did not refuse: ${JSON.stringify([told.optOutResult, told.selfTestResult])}`);
    const kept = (await context.cookies()).map(one => `${one.name}=${one.value}`);
    if (String(kept) !== 'choice=0.')
        faults.push(`after it chose: ${kept}`);
    await context.close();
    return faults;
}
