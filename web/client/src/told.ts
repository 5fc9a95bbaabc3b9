// What an embedded page and the page around it say to each other.

/** From the site to the frame: its only question. */
export const HELLO = "freiplatz-hello";

/** From the frame to the site: nothing but a number, in pixels or homes. */
export interface Told {
  freiplatz: "height" | "homes";
  value: number;
}
