declare module "virtual:outline" {
  const address: string;
  export default address;
}

declare module "virtual:towns" {
  const address: string;
  export default address;
}

declare module "virtual:small-towns" {
  const address: string;
  export default address;
}

declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export default function SwaggerUI(options: Record<string, unknown>): unknown;
}
