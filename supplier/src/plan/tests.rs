use super::*;
use proptest::prelude::*;

fn place(micros: u32, most: usize) -> Place {
    let curve = vec![(1, micros), (8, micros + 4 * micros)];
    Place { name: String::new(), curve, most, ends: Vec::new() }
}

/// The least cycle of all ways to share layers over all orders of all sets.
fn brute(problem: &Problem) -> Option<f64> {
    fn go(
        problem: &Problem,
        stages: &mut Vec<(usize, usize)>,
        left: usize,
        best: &mut Option<f64>,
    ) {
        if left == 0 && stages.len() - 1 <= problem.boxes_max() {
            for groups in problem.groups() {
                let cycle = problem.cycle(stages, groups);
                *best = Some(best.map_or(cycle, |best| best.min(cycle)));
            }
        }
        for place in 1..problem.places.len() {
            if stages.iter().any(|(other, _)| *other == place) {
                continue;
            }
            for layers in 1..=left.min(problem.places[place].most) {
                stages.push((place, layers));
                go(problem, stages, left - layers, best);
                stages.pop();
            }
        }
    }
    let mut best = None;
    for head in 0..=problem.layers.min(problem.places[0].most) {
        go(problem, &mut vec![(0, head)], problem.layers - head, &mut best);
    }
    best
}

fn problems(boxes: std::ops::Range<usize>, layers: usize) -> impl Strategy<Value = Problem> {
    boxes.prop_flat_map(move |n| {
        let places = prop::collection::vec((1u32..200, 0..layers + 2, 0u32..50), n);
        let hops = prop::collection::vec(prop::collection::vec(0u32..400, n), n);
        (places, hops, 1..layers + 1, 1usize..9, any::<bool>()).prop_map(
            |(places, hops, layers, answers, shard)| {
                let mut places: Vec<Place> =
                    places.into_iter().map(|(micros, most, _)| place(micros, most)).collect();
                places[0].ends = vec![(1, 30)];
                let hops = hops.into_iter().map(|row| row.into_iter().map(f64::from).collect());
                Problem { layers, places, hops: hops.collect(), answers, shard }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_plan_is_the_best_of_all_that_there_are(problem in problems(1..5, 6)) {
        let best = brute(&problem);
        match plan(&problem) {
            Ok(plan) => {
                let cycle = problem.cycle(&plan.stages, plan.groups);
                prop_assert!((plan.cycle - cycle).abs() <= 1e-6 * cycle);
                prop_assert!((cycle - best.unwrap()).abs() <= 1e-6 * cycle, "{plan:?} {best:?}");
            }
            Err(_) => prop_assert_eq!(best, None),
        }
    }

    #[test]
    fn beyond_all_sets_the_bound_is_below_the_best_and_the_plan_holds(problem in problems(2..6, 6)) {
        let (Some(found), Ok(best)) = (many::plan(&problem), plan(&problem)) else { return Ok(()) };
        prop_assert!(found.bound <= best.cycle * (1.0 + 1e-9), "{found:?} {best:?}");
        let cycle = problem.cycle(&found.stages, found.groups);
        prop_assert!((found.cycle - cycle).abs() <= 1e-6 * cycle);
        prop_assert!(best.cycle <= cycle * (1.0 + 1e-9));
        let layers: usize = found.stages.iter().map(|(_, layers)| layers).sum();
        prop_assert_eq!(layers, problem.layers);
    }
}

#[test]
fn what_fits_one_box_is_not_shared_unless_asked() {
    let far = vec![vec![0.0, 1.0], vec![1.0, 0.0]];
    let places = vec![place(100, 8), place(1, 8)];
    let mut problem = Problem { layers: 8, places, hops: far, answers: 1, shard: false };
    assert_eq!(plan(&problem).unwrap().stages, [(0, 8)]);
    problem.shard = true;
    assert_eq!(plan(&problem).unwrap().stages, [(0, 0), (1, 8)]);
}

#[test]
fn layers_without_room_are_refused_with_numbers() {
    let places = vec![place(1, 3), place(1, 4)];
    let hops = vec![vec![0.0; 2]; 2];
    let problem = Problem { layers: 8, places, hops, answers: 1, shard: true };
    assert_eq!(plan(&problem), Err(PlanError::Room { layers: 8, boxes: 2, most: 7 }));
}
