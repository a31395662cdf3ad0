import { ErrorBoundary, LocationProvider, Route, Router } from "preact-iso";
import { isSignedIn } from "../api/session";
import { Missing } from "../pages/Missing";
import { SignIn } from "../pages/sign_in/SignIn";
import { Shell } from "./Shell";
import { routes } from "./routes";

export function App() {
  if (!isSignedIn.value) return <SignIn />;
  return (
    <LocationProvider scope="/app">
      <ErrorBoundary>
        <Shell>
          <Router>
            {routes.map(({ path, component }) => (
              <Route key={path} path={path} component={component} />
            ))}
            <Route default component={Missing} />
          </Router>
        </Shell>
      </ErrorBoundary>
    </LocationProvider>
  );
}
