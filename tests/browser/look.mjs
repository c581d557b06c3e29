// For people's eyes: every page at three widths, light and dark, and as it is printed, on sheets that are looked at one after the other.
import fs from 'node:fs';
import path from 'node:path';
import { checkAxe, checkWidth, goTo, visitor } from './visit.mjs';

const SHOTS = [
    { name: '390', width: 390, height: 844, most: 1500, row: 6, print: false },
    { name: '768', width: 768, height: 1024, most: 1500, row: 4, print: false },
    { name: '1440', width: 1440, height: 900, most: 1500, row: 3, print: false },
    { name: 'print', width: 794, height: 1123, most: 1123, row: 4, print: true },
];
const SHEET = 1600, ROWS = { 6: 1, 4: 1, 3: 2 };                 // px wide; rows of pictures by how many stand in one

/** One address in one language and scheme: a picture a width; and what axe and the width of the page say, each time. */
export async function look(browser, site, language, scheme, address, folder, name) {
    const faults = [];
    const context = await visitor(browser, site, language, { scheme, cookies: address.cookies });
    try {
        const page = await context.newPage();
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
        await goTo(page, address, language, text => faults.push(text));
        for (const shot of SHOTS.filter(one => !one.print || scheme === 'light')) {            // paper is light
            const fault = text => faults.push(`${shot.name}, ${scheme}: ${text}`);
            await page.setViewportSize({ width: shot.width, height: shot.height });
            await page.emulateMedia({ colorScheme: scheme, media: shot.print ? 'print' : 'screen', reducedMotion: 'reduce' });
            await checkWidth(page, fault);
            if (!shot.print && shot.name !== '768')
                await checkAxe(page, fault);
            const tall = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), shot.most);
            await page.screenshot({ path: path.join(folder, `${name}-${language}-${scheme}-${shot.name}.png`), fullPage: true,
                                    clip: { x: 0, y: 0, width: shot.width, height: tall } });
        }
    } finally {
        await context.close();
    }
    return faults;
}

/** The pictures of a folder on sheets: sheets/SCHEME-WIDTH-N.png, each picture under its name. */
export async function sheets(browser, folder) {
    const to = path.join(folder, 'sheets');
    fs.mkdirSync(to, { recursive: true });
    const page = await browser.newPage({ viewport: { width: SHEET, height: 800 } });
    for (const shot of SHOTS)
        for (const scheme of ['light', 'dark']) {
            const files = fs.readdirSync(folder).filter(file => file.endsWith(`-${scheme}-${shot.name}.png`)).sort();
            const each = shot.row * ROWS[shot.row];
            for (let at = 0; at < files.length; at += each)
                await sheet(page, folder, files.slice(at, at + each), shot.row, path.join(to, `${scheme}-${shot.name}-${1 + at / each}.png`));
        }
    await page.close();
}

async function sheet(page, folder, files, row, to) {
    const figures = files.map(file => {
        const data = fs.readFileSync(path.join(folder, file)).toString('base64');
        return `<figure><figcaption>${file.replace('.png', '')}</figcaption><img src="data:image/png;base64,${data}"></figure>`;
    });
    await page.setContent(`<style>body{margin:0;background:#888;display:grid;grid-template-columns:repeat(${row},1fr);gap:8px;padding:8px}
        figure{margin:0}img{width:100%;display:block}figcaption{font:11px sans-serif;background:#ff0;overflow-wrap:anywhere}</style>${figures.join('')}`);
    await page.screenshot({ path: to, fullPage: true });
}
