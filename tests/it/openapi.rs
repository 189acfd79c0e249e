//! The description of the API: what clients are written against, and the page that shows it.

use crate::support::Home;
use serde_json::Value;
use std::collections::BTreeSet;

/// Whoever changes the API sees here what clients will see.
#[test]
fn the_description_is_what_was_agreed_on() {
    let description = serde_json::to_string_pretty(&sweepd::http::description()).unwrap();
    insta::assert_snapshot!("openapi", description);
}

#[test]
fn every_call_has_a_name_of_its_own_and_says_how_it_fails() {
    let description = serde_json::to_value(sweepd::http::description()).unwrap();
    let mut names = BTreeSet::new();
    for (path, calls) in description["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let name = call["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "two calls are named {name}");
            assert!(call["summary"].is_string(), "{method} {path} says nothing");
            let shape = &call["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(shape, "#/components/schemas/ErrorBody", "{method} {path}");
            assert_eq!(call["security"].is_array(), path != "/healthz", "{method} {path}");
        }
    }
}

/// What the tour calls, there is.
#[test]
fn the_tour_names_calls_that_there_are() {
    let description = serde_json::to_value(sweepd::http::description()).unwrap();
    let known: Vec<(String, Value)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| (path.clone(), item.clone()))
        .collect();
    let fits = |known: &str, called: &str| {
        let (known, called): (Vec<&str>, Vec<&str>) =
            (known.split('/').collect(), called.split('/').collect());
        known.len() == called.len() && known.iter().zip(&called).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let mut named = 0;
    for line in include_str!("../../docs/api.md").lines().filter(|line| line.starts_with("call ")) {
        let (_, rest) = line.split_once("$url").unwrap();
        let path = rest.split([' ', '?']).next().unwrap();
        let method = line
            .split_once("-X ")
            .map_or("get".into(), |(_, rest)| rest.split(' ').next().unwrap().to_lowercase());
        let (_, item) = known
            .iter()
            .find(|(known, item)| fits(known, path) && item[&method].is_object())
            .unwrap_or_else(|| panic!("{method} {path} is not described"));
        let parameters: Vec<&str> = item[&method]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let query =
            rest.split_once('?').map_or("", |(_, query)| query).split('&').filter(|part| !part.is_empty());
        let given = line.split(" -d ").skip(1).filter(|part| !part.starts_with('\'')).chain(query);
        for part in given {
            let name = part.split('=').next().unwrap();
            assert!(parameters.contains(&name), "{line}: there is no {name}");
        }
        named += 1;
    }
    assert!(named > 15);
}

#[test]
fn the_page_comes_from_the_daemon_alone() {
    let mut home = Home::new();
    home.serve(1);
    let served: Value = home.get("/openapi.json");
    assert_eq!(served, serde_json::to_value(sweepd::http::description()).unwrap());
    let (status, page) = home.call("GET", "/docs/", "", "");
    assert_eq!(status, 200);
    for attribute in ["src=\"", "href=\""] {
        for part in page.split(attribute).skip(1) {
            let address = part.split('"').next().unwrap();
            assert!(!address.contains("//"), "the page asks elsewhere: {address}");
            let (status, _) =
                home.call("GET", &format!("/docs/{}", address.trim_start_matches("./")), "", "");
            assert_eq!(status, 200, "{address}");
        }
    }
}
