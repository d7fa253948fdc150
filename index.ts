import { containariumProgram } from "./components/program";
import { stackSettings } from "./components/settings";

// settings -> fleet -> balancer -> containers -> outputs
export const { inventory, addresses, ssh, capacity, monthlyCost } = containariumProgram(stackSettings());
