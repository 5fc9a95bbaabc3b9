// The API's documentation, drawn by Swagger UI from the server's own description.
import "./style.scss";
import "./menu";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

type Component = (props: Props) => unknown;

/** What Swagger UI hands to a component. */
interface Props {
  getComponent(name: string, isContainer: boolean): Component;
  specSelectors: { specStr(): string };
  text: string;
}

interface System {
  React: {
    createElement(type: string | Component, props: object | null, ...inner: unknown[]): unknown;
  };
}

/** Its parts without the frame around them: that has a heading and a `main` of its own, within
 * those of the page. */
const frameless = ({ React }: System) => ({
  components: {
    Frameless: ({ getComponent, specSelectors }: Props) => {
      const shown = ["AuthorizeBtnContainer", "operations", "Models"];
      const names = specSelectors.specStr() ? ["errors", ...shown] : ["errors"];
      const parts = names.map((name) => React.createElement(getComponent(name, true), null));
      return React.createElement("div", { className: "swagger-ui" }, ...parts);
    },
  },
  wrapComponents: {
    // A link within a button; the address follows what is unfolded all the same.
    DeepLink:
      () =>
      ({ text }: Props) =>
        React.createElement("span", null, text),
  },
});

SwaggerUI({
  dom_id: "#swagger",
  url: "/api/v1/openapi.json",
  deepLinking: true,
  plugins: [frameless],
  layout: "Frameless",
  // It would send the document to a server elsewhere.
  validatorUrl: null,
});
