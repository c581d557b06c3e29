// Monday morning: whoever answers people opens the desk on a phone and on a screen; what is due first is the first link, and is seen without scrolling.
import path from 'node:path';
import { visitor } from './visit.mjs';

const WINDOWS = { phone: { width: 390, height: 844 }, screen: { width: 1280, height: 800 } };

export async function desk(browser, site, folder) {
    const faults = [];
    let first = null;
    for (const [name, viewport] of Object.entries(WINDOWS)) {
        const context = await visitor(browser, site, 'en', { script: false, viewport });
        try {
            await context.addCookies(site.people.cookies.staff);
            const page = await context.newPage();
            if (!first) {
                await page.goto('/staff/breaches/new', { waitUntil: 'load' });
                await page.locator('main [name="what"]').fill('A list went to a wrong address');
                await page.locator('main [name="known"]').fill(new Date(Date.now() - 12 * 3600e3).toISOString());    // in time yet: the board stays as it is
                await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.locator('main form button').first().click()]);
                first = new URL(page.url()).pathname;
            }
            await page.goto('/staff/desk', { waitUntil: 'load' });
            const link = page.locator('main a').first(), box = await link.boundingBox();
            await page.screenshot({ path: path.join(folder, `desk-${name}.png`) });
            if (!box || box.y < 0 || box.y + box.height > viewport.height)
                faults.push(`${name}: what is due first is not seen without scrolling: ${JSON.stringify(box)}`);
            if (await link.getAttribute('href') !== first)
                faults.push(`${name}: the first link is ${await link.getAttribute('href')}, not ${first}`);
            const picture = page.getByRole('img').first(), drawn = await picture.locator('rect').first().boundingBox();
            const around = await picture.boundingBox();
            await page.screenshot({ path: path.join(folder, `desk-${name}-pictures.png`), fullPage: true });
            if (!drawn || drawn.height < 1 || !around || around.x < 0 || around.x + around.width > viewport.width)
                faults.push(`${name}: the picture of the months is not within the page: ${JSON.stringify([drawn, around])}`);
            await page.locator('main details summary').first().click();
            if (!await page.locator('main details table').first().isVisible())
                faults.push(`${name}: the picture has no table`);
            await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), link.click()]);
            if (new URL(page.url()).pathname !== first)
                faults.push(`${name}: the link leads to ${page.url()}`);
            await page.screenshot({ path: path.join(folder, `desk-${name}-file.png`), fullPage: true });
        } finally {
            await context.close();
        }
    }
    return faults;
}
