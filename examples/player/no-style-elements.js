// Video.js looks for this when it is loaded. Needed only under a Content-Security-Policy without 'unsafe-inline' for styles.
window.VIDEOJS_NO_DYNAMIC_STYLE = true;
