// Drives Debian's Chromium over the servers that tests/browser/run started: node main.mjs SITES.json FOLDER [--look] [WORD…]
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { autoconsent } from './autoconsent.mjs';
import { banner } from './banner.mjs';
import { certificate } from './certificate.mjs';
import { desk } from './desk.mjs';
import { entering } from './entering.mjs';
import { flows } from './flows.mjs';
import { folded } from './folded.mjs';
import { look, sheets } from './look.mjs';
import { PAGES } from './pages.mjs';
import { story } from './story.mjs';
import { Windows, visit } from './visit.mjs';

const [, , sitesFile, folder, ...rest] = process.argv;
const looking = rest.includes('--look');                         // pictures for people, and nothing else
const words = rest.filter(word => word !== '--look');
const told = JSON.parse(fs.readFileSync(sitesFile, 'utf8'));
const sites = told.filter(site => !site.tracked);                  // the others carry a banner of ours: banner.mjs
const TOP = path.join(import.meta.dirname, '../..');
const ABREAST = 2;                                               // tests at a time, on two cores
let failed = false;

function tell(name, faults, began) {
    failed ||= faults.length > 0;
    process.stdout.write(faults.length ? `not ok ${name}\n` + faults.slice(0, 12).map(fault => `# ${fault.replace(/\n/g, '\n#   ')}\n`).join('')
                                       : `ok ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
    if (faults.note)                                              // a figure, for the page of benchmarks
        process.stdout.write(`> ${name}: ${faults.note}\n`);
}

/** Each page route of a server has a row, and each row its route. */
async function covered(site) {
    const description = await (await fetch(site.origin + '/openapi.json')).json();
    const types = methods => Object.keys(Object.values(methods.get?.responses ?? {})[0]?.content ?? {});
    const routes = Object.keys(description.paths).filter(route => types(description.paths[route]).some(type => type.startsWith('text/html')));
    return [...routes.filter(route => !PAGES.some(page => page.route === route)).map(route => `no row in pages.mjs for ${route}`),
            ...PAGES.filter(page => page.route && !routes.includes(page.route)).map(page => `pages.mjs has a row for ${page.route}, which is no page`)];
}

/** A page in one language, light and dark, at all widths. */
function lookOf(browser, site, page, address, language, k) {
    const name = `${(address.name ?? (page.route.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'home'))}${address.name || !k ? '' : k + 1}`;
    const run = async () => [...await look(browser, site, language, 'light', address, folder, `${name}-${site.policy}`),
                             ...await look(browser, site, language, 'dark', address, folder, `${name}-${site.policy}`)];
    return { name: `look: ${site.policy}: ${name} ${language}`, order: 'look', run };
}

/** All tests, each {name, run}; run gives the faults. */
function tests(browser) {
    const all = [{ name: 'every page has a row', run: () => covered(sites[0]) }];
    for (const page of PAGES) {
        const addresses = sites.map(site => page.at(site).map(at => typeof at === 'string' ? { path: at } : at));
        if (page.few || page.one)
            addresses.filter(at => at.length).slice(page.few ? 2 : 1).forEach(at => { at.length = 0; });
        if (!addresses.flat().length)
            all.push({ name: `${page.route ?? 'problem'} is visited`, run: async () => ['no site has an address of this page'] });
        sites.forEach((site, i) => addresses[i].forEach((address, k) => {
            for (const language of address.only ? [address.only] : ['fr', 'en'])
                all.push(looking ? lookOf(browser, site, page, address, language, k) : {
                    name: `${site.policy}: ${address.name ?? page.route}${address.name || !k ? '' : ` ${k + 1}`} ${language}`,
                    order: `${site.policy} ${language} ${address.cookies?.map(cookie => cookie.value).join() ?? ''}`,
                    run: windows => visit(windows, site, language, address, path.join(folder, site.policy)),
                });
        }));
    }
    if (looking)
        return chosen(all.filter(test => test.order === 'look'));
    for (const site of sites)
        all.push({ name: `${site.policy}: somebody gets an account`, run: () => entering(browser, site, path.join(folder, site.policy)) });
    for (const site of sites.filter(one => one.people?.clerk))
        all.push({ name: `${site.policy}: the story of an account`, run: () => story(browser, site, path.join(folder, site.policy)) });
    for (const site of sites.filter(one => one.people?.clerk))
        all.push({ name: `${site.policy}: the desk on Monday`, run: () => desk(browser, site, path.join(folder, site.policy)) });
    for (const site of sites.filter(site => site.registers && !site.approval))
        all.push({ name: `${site.policy}: five flows by keyboard on a phone`, run: () => flows(browser, site, path.join(folder, site.policy)) });
    for (const site of sites)
        all.push({ name: `${site.policy}: what is long is folded`, run: () => folded(browser, site) });
    for (const site of sites.filter(one => one.people?.cookies.leaving))
        all.push({ name: `${site.policy}: the certificate of an erasure`, run: () => certificate(browser, site, path.join(folder, site.policy)) });
    for (const site of told.filter(one => one.tracked))
        all.push({ name: `${site.policy}: the banner on a site of others`, run: () => banner(browser, site.tracked, folder) },
                 { name: `${site.policy}: autoconsent refuses on the banner`, run: () => autoconsent(browser, site.tracked, TOP) });
    return chosen(all);
}

const chosen = all => all.filter(test => !words.length || words.some(word => test.name.includes(word)));

// What would only wake up for people: the browser's own side panels.
const QUIET = ['--disable-gpu', '--disable-features=PreloadTopChromeWebUI'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIET });
try {
    const waiting = tests(browser).sort((a, b) => (a.order ?? '').localeCompare(b.order ?? ''));
    await Promise.all(Array.from({ length: ABREAST }, async () => {
        const windows = new Windows(browser);
        for (let test; (test = waiting.shift());) {
            const began = Date.now();
            let faults;
            try {
                faults = await test.run(windows);
            } catch (error) {
                faults = [String(error.stack ?? error)];
                await windows.close();
            }
            tell(test.name, faults, began);
        }
        await windows.close();
    }));
    if (looking)
        await sheets(browser, folder);
} finally {
    await browser.close();
}
process.exitCode = failed ? 1 : 0;
