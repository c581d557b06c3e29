// The script that tells of use, on a site of others: nothing before the choice, what the policy declares after it, nothing kept on the
// device, what waits for the network sent once it is back, and nothing after a withdrawal. node usage.mjs SETTINGS.json gives the faults.
import fs from 'node:fs';
import http from 'node:http';
import { chromium } from 'playwright-core';

const at = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const faults = [];
const expect = (good, said) => good || faults.push(said);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu'] });

/* The site: its page, and where it is told of use. */
const told = { down: false, sent: [], exempt: false };
const site = http.createServer((request, response) => {
    let body = '';
    request.on('data', part => body += part);
    request.on('end', () => {
        if (request.method === 'POST' && told.down)
            return response.destroy();
        if (request.method === 'POST')
            told.sent.push(...JSON.parse(body).events);
        response.writeHead(request.method === 'POST' ? 204 : 200, { 'Content-Type': 'text/html' });
        response.end(request.method === 'POST' ? undefined : `<!doctype html><title>A</title><link rel="icon" href="data:,">
            <button id="buy">Buy</button><a href="/files/list.csv" download>List</a>
            <script src="${at.garant}/embed/usage.js" data-purpose="${told.exempt ? at.exempt : at.asked}" data-to="/told"></script>`);
    });
});
await new Promise(done => site.listen(0, '127.0.0.2', done));

async function visit(exempt = false) {
    Object.assign(told, { down: false, sent: [], exempt });
    const context = await browser.newContext();
    const page = await context.newPage(), sent = told.sent;
    await page.goto(`http://127.0.0.2:${site.address().port}/shop/page?secret=1`);
    const choose = list => page.evaluate(list => document.dispatchEvent(new CustomEvent('garant:consent', { detail: { given: list, made: true } })), list);
    const all = async () => {
        await page.evaluate(() => dispatchEvent(new Event('pagehide')));
        await page.waitForTimeout(300);
        return sent;
    };
    await page.click('#buy');
    return { context, page, sent, choose, all };
}

{
    const { context, page, choose, all, sent } = await visit();
    expect(!(await all()).length, 'something was told before the choice');
    await choose([]);
    await page.click('#buy');
    expect(!(await all()).length, 'something was told after a refusal');
    await choose([at.asked]);
    await page.click('#buy');
    await page.click('a');
    await page.evaluate(() => setTimeout(() => { throw new TypeError('somebody@site.example'); }));
    await page.waitForTimeout(200);
    await all();
    const actions = sent.map(one => one.fields.action).sort();
    for (const action of ['view', 'click', 'download', 'error'])
        expect(actions.includes(action), `no ${action} among ${actions}`);
    expect(sent.every(one => Object.keys(one.fields).every(name => at.fields.includes(name))), 'a field is told that the policy does not declare');
    expect(!JSON.stringify(sent).includes('secret') && !JSON.stringify(sent).includes('somebody@'), 'a query or a message is told');
    expect(new Set(sent.map(one => one.id)).size === sent.length, 'an event is told twice');
    expect(!(await context.cookies()).length && !await page.evaluate(() => localStorage.length + sessionStorage.length), 'something is kept on the device');
    await choose([]);
    const before = sent.length;
    await page.click('#buy');
    expect((await all()).length === before, 'something was told after a withdrawal');
    await context.close();
}
{
    const { context, page, choose, sent } = await visit();
    told.down = true;
    await choose([at.asked]);
    await page.waitForTimeout(6000);
    expect(!sent.length, 'it was told without a network');
    told.down = false;
    await page.waitForTimeout(6000);
    expect(sent.some(one => one.fields.action === 'view'), 'what waited is lost');
    await context.close();
}
if (at.exempt) {
    const { context, all } = await visit(true);
    expect((await all()).some(one => one.fields.action === 'view'), 'what is exempt waits for a choice');
    await context.close();
}
await browser.close();
site.close();
console.log(JSON.stringify(faults));
