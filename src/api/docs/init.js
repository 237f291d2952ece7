"use strict";

// Swagger UI's own dark colours hang on a class, which only the top bar left out here would set.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
paint();
dark.addEventListener("change", paint);

SwaggerUIBundle({
  dom_id: "#swagger-ui",
  // Relative, so that it is right behind a proxy that adds a prefix, too.
  url: "../openapi.json",
  // A token pasted once stays, in this browser's local storage, until "Logout".
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
