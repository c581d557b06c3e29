// The certificate of an erasure, as the person who erased themselves gets it: its picture can be scanned, it is one column, and one sheet of paper.
import path from 'node:path';
import { checkAxe, checkWidth, guard, visitor } from './visit.mjs';

const WIDTHS = [390, 768, 1440], PAPER = 673;                     // px; that of A4 between its margins

/** The parts of an element's picture that are nearly black and nearly white, as the browser paints it. */
async function painted(page, element) {
    const png = (await element.screenshot()).toString('base64');
    return page.evaluate(async data => {
        const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        canvas.drawImage(bitmap, 0, 0);
        const { data: pixels } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
        let dark = 0, light = 0;
        for (let i = 0; i < pixels.length; i += 4) {
            const grey = (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
            dark += grey < 40;
            light += grey > 215;
        }
        return { dark: dark * 4 / pixels.length, light: light * 4 / pixels.length };
    }, png);
}

/** A code is dark modules on light ones, in equal parts or so, with the light zone around that scanners need. */
async function checkCode(page, how, fault) {
    const { dark, light } = await painted(page, page.locator('.digest svg'));
    if (dark < 0.2 || dark > 0.5 || light < 0.4)
        fault(`${how}: the code is ${Math.round(dark * 100)} % dark and ${Math.round(light * 100)} % light`);
}

async function checkColumn(page, how, fault) {
    const [title, card] = await Promise.all(['h1', '.seal'].map(one => page.locator(one).evaluate(e => e.getBoundingClientRect().left)));
    if (Math.abs(title - card) > 1)
        fault(`${how}: the title stands at ${title} px, the card at ${card} px`);
}

export async function certificate(browser, site, folder) {
    const faults = [], fault = text => faults.push(text);
    const context = await visitor(browser, site, 'fr', { cookies: site.people.cookies.leaving });
    guard(context, site, fault);
    try {
        const page = await context.newPage();
        await page.goto('/me/erase', { waitUntil: 'load' });
        await page.locator('[name=sure]').check();
        await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.locator('form[action="/me/erase"] .danger').click()]);
        for (const scheme of ['light', 'dark'])
            for (const width of WIDTHS) {
                const how = `${width} px, ${scheme}`;
                await page.setViewportSize({ width, height: 900 });
                await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
                await checkCode(page, how, fault);
                await checkColumn(page, how, fault);
                await checkWidth(page, text => fault(`${how}: ${text}`));
                await checkAxe(page, text => fault(`${how}: ${text}`));
                await page.screenshot({ path: path.join(folder, `certificate-${width}-${scheme}.png`), fullPage: true });
            }
        await page.setViewportSize({ width: PAPER, height: 1000 });
        await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
        await checkCode(page, 'printed', fault);
        await page.screenshot({ path: path.join(folder, 'certificate-print.png'), fullPage: true });
        const sheet = await page.pdf({ preferCSSPageSize: true, path: path.join(folder, 'certificate.pdf') });
        const sheets = sheet.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length;
        if (sheets !== 1)
            fault(`${sheets} sheets of paper`);
    } finally {
        await context.close();
    }
    return faults;
}
