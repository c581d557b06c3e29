/* "Show the password" beside each password field; where scripts do not run the field stays as it is. */
'use strict';
const says = document.documentElement.lang === 'fr' ? 'Afficher le mot de passe' : 'Show the password';
const SVG = 'http://www.w3.org/2000/svg';
for (const input of document.querySelectorAll('input[type="password"]')) {
    const button = document.createElement('button'), around = document.createElement('span');
    const icon = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
    around.className = 'secret';
    button.type = 'button';
    button.setAttribute('aria-label', says);
    button.setAttribute('aria-controls', input.id);
    button.setAttribute('aria-pressed', 'false');
    icon.setAttribute('class', 'icon');
    icon.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#i-eye');
    icon.append(use);
    button.append(icon);
    button.addEventListener('click', () => {
        const hidden = input.type === 'password';
        input.type = hidden ? 'text' : 'password';
        button.setAttribute('aria-pressed', String(hidden));
    });
    // What is sent is a password again, so that no browser remembers it as a text.
    input.form?.addEventListener('submit', () => { input.type = 'password'; });
    input.before(around);
    around.append(input, button);
}
