// The API's documentation, drawn by Swagger UI from the server's own description.
import "./style.scss";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  dom_id: "#swagger",
  url: "/api/v1/openapi.json",
  deepLinking: true,
  // It would send the document to a server elsewhere.
  validatorUrl: null,
});
