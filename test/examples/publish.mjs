import { open, pub, sub } from "wirestack";

const reader = open(sub());
reader.subscribe("weather");
const { url } = await reader.listen("tcp://127.0.0.1:0");

const station = open(pub());
await station.dial(url).ready; // who is not there yet misses what is said
await station.send("sports: 2 to 1");
await station.send("weather: sunny");
console.log(new TextDecoder().decode(await reader.receive()));

await station.close();
await reader.close();
