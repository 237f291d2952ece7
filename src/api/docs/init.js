"use strict";

// Swagger UI's dark colours need this class. Its top bar would set it, but is left out here.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
paint();
dark.addEventListener("change", paint);

// The link that development mode prints has a token in its fragment, which browsers send to no server. It is removed
// from the address before Swagger UI reads that, so that nobody copies the token with the address.
const takeToken = () => {
  const found = /^#token=([\w.-]+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found?.[1];
};
const authorize = (token) => {
  if (!token) return;
  ui.preauthorizeApiKey("bearer", token);
  ui.authActions.persistAuthorizationIfNeeded();
};
const token = takeToken();
// If the page is open already, the link changes only the fragment.
addEventListener("hashchange", () => authorize(takeToken()));

const ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  // Relative, so that it is also right behind a proxy that adds a prefix.
  url: "../openapi.json",
  onComplete: () => authorize(token),
  // A token stays, in this browser's local storage, until "Logout".
  persistAuthorization: true,
  tryItOutEnabled: true,
  deepLinking: true,
  displayRequestDuration: true,
  // The badge would send the document to validator.swagger.io.
  validatorUrl: null,
  // Each operation shows its schemas; a list of all of them would only double the page.
  defaultModelsExpandDepth: -1,
  // The example comes first, and the schema is one click away. It is shown in full.
  defaultModelExpandDepth: 3,
});
