// Pages that need the style only, and the search form on them.
import "./style.scss";
import "./form";
import "./shortlist";
import "./feedback";
