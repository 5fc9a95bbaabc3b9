// The report page: what it looks like; what it does without a network comes with it.
import "./style.scss";
