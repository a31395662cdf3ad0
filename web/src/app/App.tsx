import { LocationProvider, Route, Router } from "preact-iso";
import { isSignedIn } from "../api/session";
import { Missing } from "../pages/Missing";
import { SignIn } from "../pages/sign_in/SignIn";
import { Fault } from "./Fault";
import { Shell } from "./Shell";
import { routes } from "./routes";

/** The pages; before the sign-in its form stands at every address, which stays what it was. */
export function App() {
  return (
    <LocationProvider scope="/app">
      {isSignedIn.value ? (
        <Shell>
          <Fault>
            <Router>
              {routes.map(({ path, component }) => (
                <Route key={path} path={path} component={component} />
              ))}
              <Route default component={Missing} />
            </Router>
          </Fault>
        </Shell>
      ) : (
        <SignIn />
      )}
    </LocationProvider>
  );
}
