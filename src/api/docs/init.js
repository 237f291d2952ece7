"use strict";

// Swagger UI's own dark colours hang on a class, which only the top bar left out here would set.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
paint();
dark.addEventListener("change", paint);

// The link that development mode prints carries a token in its fragment, which browsers send to no server. It is
// taken out of the address before Swagger UI reads that, so that it is not copied on with it.
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
// Of a page that is open already, only the fragment changes.
addEventListener("hashchange", () => authorize(takeToken()));

const ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  // Relative, so that it is right behind a proxy that adds a prefix, too.
  url: "../openapi.json",
  onComplete: () => authorize(token),
  // A token stays, in this browser's local storage, until "Logout".
  persistAuthorization: true,
  tryItOutEnabled: true,
  deepLinking: true,
  displayRequestDuration: true,
  // The badge would send the document to validator.swagger.io.
  validatorUrl: null,
  // The shapes are shown with each operation; the list of all of them would only double the page.
  defaultModelsExpandDepth: -1,
  // Show the example first, the schema one click away; and of a schema all that it holds.
  defaultModelExpandDepth: 3,
});
