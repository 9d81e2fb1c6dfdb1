// Shows two descriptions, to be chosen at the top: lode.json is made by ../codegen, swagger.yaml is the SDK's.
window.onload = () => {
  window.ui = SwaggerUIBundle({
    urls: [
      { name: "Lode", url: "./lode.json" },
      { name: "Cosmos SDK", url: "./swagger.yaml" },
    ],
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "StandaloneLayout",
  });
};
