// Presses the button of the page that brings an authorization response to the service by POST.
"use strict";
document.querySelector("main form").requestSubmit();
