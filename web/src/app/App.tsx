import type { ComponentChildren } from "preact";
import { ErrorBoundary, lazy, LocationProvider, Route, Router } from "preact-iso";
import { loadRights, rights, rightsError } from "../api/permissions";
import { isSignedIn } from "../api/session";
import { Missing } from "../pages/Missing";
import { SignIn } from "../pages/sign_in/SignIn";
import { Loading, Refused } from "../ui/Loading";
import { Fault } from "./Fault";
import { Shell } from "./Shell";
import { routes } from "./routes";

const Recover = lazy(() => import("../pages/recover/Recover"));

/** The pages; before the sign-in its form stands at every address, which stays what it was. */
export function App() {
  return (
    <LocationProvider scope="/app">
      {isSignedIn.value ? (
        <Shell>
          <Fault>
            <Ruled>
              <Router>
                {routes.map(({ path, component }) => (
                  <Route key={path} path={path} component={component} />
                ))}
                <Route default component={Missing} />
              </Router>
            </Ruled>
          </Fault>
        </Shell>
      ) : (
        <ErrorBoundary>
          <Router>
            <Route path="/app/recover/:what" component={Recover} />
            <Route default component={SignIn} />
          </Router>
        </ErrorBoundary>
      )}
    </LocationProvider>
  );
}

/** The pages open when it is known what the user may do: none shows what it has to take away. */
function Ruled({ children }: { children: ComponentChildren }) {
  if (rights.value) return <>{children}</>;
  if (rightsError.value)
    return <Refused refusal={rightsError.value} again={() => void loadRights()} />;
  return <Loading />;
}
