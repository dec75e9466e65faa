# The runs of tests of a plan in a file, and what says whether they pass (drvgen/tests.go).
{
  plan, # what plan-file.nix has read
  inputs, # what the whole build has in common, tests too
  units, # see plan-units.nix
  goroot, # what GOROOT stands for
  listed, # the sources that options list, by a name
  quoteless, # a string as it stands between the quotes of JSON
  links, # the test programs, by their keys
  nameOf, # import paths, by key
  placeOf, # where the outputs of packages are, by key
}:
let
  inherit (builtins) toJSON listToAttrs concatStringsSep;
  inherit (import ./plan-functions.nix) imap escape;
  inherit (units) unit derive;
  storeName = import ./store-name.nix;
  settings = builtins.fromJSON plan.settings.tests;

  out = drv: id: {
    inner = null;
    place = { inherit drv id; };
    file = {
      output = "out";
      path = "";
    };
  };
  # The program of a test.
  programOf =
    name:
    let
      key = plan.tests.${name}.program;
      program = out links.${key} key;
    in
    program // { file = program.file // { path = "bin/${plan.tests.${name}.main}"; }; };

  stepsOf =
    t:
    builtins.replaceStrings
      [
        "@MAIN@"
        "@DIR@"
      ]
      [
        (quoteless (escape t.main))
        (quoteless (if t.options.s == "." then "\${SRC}" else "\${SRC}/${escape t.options.s}"))
      ]
      plan.templates.${t.template};

  # The run with what the plan says that the test reads. It never fails.
  run =
    name: t:
    derive {
      name = storeName "test-${name}";
      outputs = [ "out" ];
      vars = {
        GOROOT = goroot;
        CHECKENV = inputs.checkEnv;
      };
      units = [
        (unit {
          inherit name;
          steps = stepsOf t;
          refs = [ (programOf name) ];
          dirs = [ ];
          sources = listed "${name}-testdata" t.options;
          vars.RESULT = "\${out}";
          env = "CHECKENV";
        })
      ];
    };
  runs = builtins.mapAttrs run plan.tests;

  # The steps that run a stage of the planner on what `config` says.
  stage = name: config: env: ''
    {"write":{"path":"''${OBJ}/config.json","text":${toJSON (toJSON config)}}},''
    + ''{"run":{"args":["''${PLANNER}/bin/dgd-plan",${toJSON name}],"env":${
      toJSON (
        [
          "configPath=\${OBJ}/config.json"
          "out=\${out}"
        ]
        ++ env
      )
    }}}'';
  # A unit of such steps, or others: see plan-units.nix.
  plain =
    {
      name,
      values,
      env ? null,
      steps,
    }:
    {
      inherit values;
      text =
        variable:
        "{"
        + (if env == null then "" else ''"env":"''${${env}}",'')
        + ''"name":${toJSON name},"steps":[${concatStringsSep "," (steps variable)}]}'';
    };

  # What says which tests need all of src.
  needs =
    name: tests:
    let
      result = test: "test ${test}";
    in
    derive {
      inherit name;
      outputs = [ "out" ];
      vars = {
        PLANNER = inputs.planner;
        SOURCE = inputs.src;
      }
      // (if settings.modules == "" then { } else { MODULES = inputs.modules; });
      units = [
        (plain {
          inherit name;
          values = builtins.concatMap (test: [
            {
              id = (programOf test).place.id;
              value = (programOf test).place.drv.out;
            }
            {
              id = result test;
              value = runs.${test}.out;
            }
          ]) tests;
          steps = variable: [
            (stage "needs" {
              src = "\${SOURCE}";
              vendor = escape (builtins.fromJSON plan.settings.testvendor);
              form = settings.modules;
              modules = if settings.modules == "" then "" else "\${MODULES}";
              tests = map (test: {
                name = escape test;
                result = "\${${variable (result test)}}";
                program = "\${${variable (programOf test).place.id}}/${escape (programOf test).file.path}";
              }) tests;
            } [ ])
          ];
        })
      ];
    };

  # What fails if one of the tests does, or if packages that have none do not compile.
  tested =
    name: tests: untested:
    let
      passed = ''{"write":{"path":"''${out}","text":${
        toJSON (concatStringsSep "" (map (test: "ok  \t${escape test}\n") tests))
      }}}'';
      of = needs "needs-of-${name}" tests;
      compiled = map (
        key:
        let
          inherit (placeOf.${key}) id drv export;
        in
        {
          id = "${id}!${export.output}";
          value = drv.${export.output};
        }
      ) untested;
      # The second step of a run.
      test = name: (builtins.elemAt (builtins.fromJSON "[${stepsOf plan.tests.${name}}]") 1).test;
    in
    derive (
      {
        inherit name;
        outputs = [ "out" ];
      }
      // (
        if tests == [ ] then
          {
            vars = { };
            units = [
              (plain {
                name = "tests";
                values = compiled;
                steps = _: [ passed ];
              })
            ];
          }
        else
          {
            vars = {
              GOROOT = goroot;
              CHECKENV = inputs.checkEnv;
              PLANNER = inputs.planner;
            };
            units = [
              (plain {
                name = "tests";
                env = "CHECKENV";
                values = [
                  {
                    id = "needs";
                    value = of.out;
                  }
                ]
                ++ compiled;
                steps = variable: [
                  (stage "retest" {
                    needs = "\${${variable "needs"}}";
                    src = "\${SRC}";
                    modules = "\${OBJ}/modules";
                    tests = listToAttrs (
                      map (name: {
                        name = escape name;
                        value = {
                          inherit (test name) dir path;
                          args = builtins.tail (test name).args;
                        };
                      }) tests
                    );
                  } (test (builtins.elemAt tests (builtins.length tests - 1))).env)
                  passed
                ];
              })
            ];
          }
      )
    );
  names = builtins.sort builtins.lessThan (builtins.attrNames plan.tests);
in
builtins.mapAttrs (name: _: tested (storeName "tests-${name}") [ name ] [ ]) plan.tests
// {
  all = tested "tests" names (builtins.sort (a: b: nameOf.${a} < nameOf.${b}) plan.untested);
}
