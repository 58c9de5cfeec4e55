import { open, sub } from "wirestack";

const reader = open(sub());
reader.subscribe("weather");
reader.dial(`ws://${location.host}/news`);
for await (const news of reader) {
  document.body.append(new TextDecoder().decode(news));
}
